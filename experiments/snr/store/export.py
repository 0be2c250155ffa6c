"""A store as plain tables for other programs."""

from emmd.core.checks import known_name
from emmd.experiments.files.writable import writable_folder
from emmd.runs import load_runs, load_traces

_FORMATS = ("csv", "parquet")


def write_tables(store, folder, file_format):
    """Write ``runs`` and ``traces`` of a store as CSV or Parquet files.

    Parameters
    ----------
    store : str or Path
    folder : str or Path
        Made when missing.
    file_format : str
        ``csv`` or ``parquet``; the latter needs pyarrow.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        For an unusable store or folder, an unknown format, or Parquet without pyarrow.
    """
    known_name("--format", file_format, _FORMATS)
    tables = {"runs": load_runs(store).reset_index(), "traces": load_traces(store)}
    folder = writable_folder(folder)
    return [_write(table, folder / f"{name}.{file_format}", file_format) for name, table in tables.items()]


def _write(table, path, file_format):
    try:
        if file_format == "csv":
            table.to_csv(path, index=False)
        else:
            table.to_parquet(path, index=False)
    except ImportError as error:
        raise ValueError("--format parquet needs pyarrow: pip install 'emmd[parquet]'") from error
    except OSError as error:
        raise ValueError(
            f"--out must be a folder that can be written to, got {path.parent}: {error}"
        ) from error
    return path
