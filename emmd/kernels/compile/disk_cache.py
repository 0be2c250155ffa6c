"""Where compiled kernels are kept on disk.

Compiled code is kept in a folder whose name is a hash of every kernel source and of all the
settings that change code. Numba alone looks only at the file of the function it is asked for, so it would go
on using the old machine code of a kernel after a leaf function in another file has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba

_log = logging.getLogger("emmd")

_config: Any = numba.config  # its names are made at run time, out of sight of a type checker

# Numba settings (environment variables NUMBA_<name>) that change the code generated from the same source.
_SETTINGS = (
    "BOUNDSCHECK",
    "CPU_FEATURES",
    "CPU_NAME",
    "DEBUGINFO_DEFAULT",
    "ENABLE_AVX",
    "LOOP_VECTORIZE",
    "OPT",
    "SLP_VECTORIZE",
)


SOURCES = Path(__file__).absolute().parents[1]
"""The folder of all of emmd's kernels."""


@cache
def cache_folder() -> Path:
    """Folder of the compiled kernels, made on first use.

    Returns
    -------
    Path
        ``<base>/<hash>`` with base ``$EMMD_CACHE_DIR``, or else ``$XDG_CACHE_HOME/emmd``, or else
        ``~/.cache/emmd``; when that cannot be written to, a private folder below ``tempfile.gettempdir()``.
    """
    folder = cache_base() / _fingerprint()
    if _writable(folder):
        return folder
    return _temporary_base() / folder.name


@cache
def announce_compilation() -> None:
    """Say in one line, once, that kernels are being compiled, if none is on disk yet.

    The line goes to the logger ``emmd`` as a warning: without any set-up of logging it appears on standard
    error, for a first result that takes many seconds without a word looks like a program that hangs.
    """
    if not any(cache_folder().rglob("*.nbc")):
        _log.warning("emmd: compiling the kernels, once on this machine: up to half a minute")


def cache_base() -> Path:
    """Return the folder of all that emmd keeps between processes; it may not exist."""
    chosen = os.environ.get("EMMD_CACHE_DIR")
    if chosen:
        return Path(os.path.expanduser(chosen)).absolute()
    shared = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(shared, "emmd").absolute()


def _temporary_base() -> Path:
    """Cached code is run, so a folder that another user could have filled must not be trusted."""
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir(), f"emmd-{owner}")
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if owner == "user" or folder.lstat().st_uid == owner:
            return folder
    return Path(tempfile.mkdtemp(prefix="emmd-"))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _fingerprint() -> str:
    """Hash of the kernel sources, the compiler's versions and the settings that change code."""
    settings = [f"{name}={getattr(_config, name, None)}" for name in _SETTINGS]
    digest = hashlib.sha256(repr((numba.__version__, llvmlite.__version__, settings)).encode())
    for source in sorted(SOURCES.rglob("*.py")):
        digest.update(f"\n# {source.relative_to(SOURCES).as_posix()}\n".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
