"""Where results are to go is tried before the work, not after it."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer


def try_file(path: str | None) -> str | None:
    """Return a path, after it has been tried; what is there stays as it is.

    Parameters
    ----------
    path : str or None
        ``-`` is standard output.

    Raises
    ------
    ValueError
        If no file can be written there.
    """
    if path is None or path == "-":
        return path
    try:
        if not Path(path).exists():
            with open(path, "x"):
                pass
            os.unlink(path)
        elif Path(path).is_file():
            with open(path, "a"):
                pass
        elif Path(path).is_dir():
            raise IsADirectoryError("a folder")
    except (OSError, ValueError) as error:
        raise ValueError(f"--json must be a writable file, got {path}: {error}") from error
    return path


def try_folder(path: str | None) -> str | None:
    """Return a path, after a folder has been made there and tried.

    Raises
    ------
    ValueError
        If nothing can be written there.
    """
    if path is not None:
        writable_folder(path)
    return path


def writable_folder(path: str | Path) -> Path:
    """Return a folder, made when missing, or raise a ValueError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except (OSError, ValueError) as error:
        raise ValueError(f"--out must be a folder that can be written to, got {path}: {error}") from error
    return Path(path)


Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write JSON to FILE, - for stdout.", callback=try_file),
]


def out_option(said: str) -> Any:
    """Return the option for a folder of results; eager, so that a file of results may go into it."""
    return typer.Option("--out", metavar="DIR", help=said, callback=try_folder, is_eager=True)
