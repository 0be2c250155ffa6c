"""Reading the store of a sweep into data frames; writing it belongs to `experiments.snr`."""

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from emmd.core.checks import file_path, instance

APPLICATION_ID = 0x656D6D64
"""Marks an SQLite file as a store of runs: "emmd" in ASCII."""

FORMAT = 3
"""Version of the tables."""


def load_runs(store: str | Path, experiment: str | None = None) -> pd.DataFrame:
    """Return the runs of a store, one row each.

    Parameters
    ----------
    store : str or Path
        SQLite file that ``emmd snr run`` wrote; it may be in use.
    experiment : str, optional
        Only the runs of this experiment.

    Returns
    -------
    pandas.DataFrame
        Indexed by run id. Columns: ``key`` (the id without the code version), ``experiment, version,
        repetition``; the cell (``model, n, d,
        snr_expert, snr_gate, cosine``); the start (``start_kind, start_index, ...``); ``algorithm``, a
        label, with its options as ``option_...``; ``status, reason``; the results (``iterations, loss,
        error``, measures); ``seconds``.

    Raises
    ------
    ValueError
        If the file is missing, damaged or not a store.
    """
    import pandas as pd

    columns = "id, key, experiment, version, config, status, reason, results, seconds"
    rows = _select(store, columns, experiment)
    frame = pd.DataFrame([_flat(row) for row in rows])
    return frame.set_index("id") if len(frame) else frame


def load_traces(store: str | Path, experiment: str | None = None) -> pd.DataFrame:
    """Return the traces of a store, one row per kept iterate.

    Parameters
    ----------
    store : str or Path
    experiment : str, optional

    Returns
    -------
    pandas.DataFrame
        Columns ``run`` (id, categorical), ``iteration``, ``evaluations``, ``loss``, ``seconds`` at which the
        iterate was reached, and what the source follows: ``error`` (distance to the sample's optimum
        modulo symmetries) for drawn data, ``train_loss``, ``test_loss``, ... for real ones; NaN where
        a run has no such column.

    Raises
    ------
    ValueError
        If the file is missing, damaged or not a store.
    """
    import pandas as pd

    rows = [row for row in _select(store, "id, columns, trace, seconds_trace", experiment) if row[1]]
    if not rows:
        return pd.DataFrame({"run": pd.Categorical([])})
    seconds = [np.frombuffer(row[3]) for row in rows]
    lengths = [len(part) for part in seconds]
    run = pd.Categorical.from_codes(np.repeat(np.arange(len(rows)), lengths), [row[0] for row in rows])
    frame = pd.DataFrame({"run": run, **_columns(rows, lengths), "seconds": np.concatenate(seconds)})
    return frame.astype({"iteration": np.int64, "evaluations": np.int64})


def _columns(rows, lengths):
    """Return the traces' columns, NaN where a run does not have one that another run has."""
    names = [row[1].split(",") for row in rows]
    known = list(dict.fromkeys(name for group in dict.fromkeys(map(tuple, names)) for name in group))
    values = np.full((len(known), sum(lengths)), np.nan)
    place = {name: k for k, name in enumerate(known)}
    end = 0
    for group, row, length in zip(names, rows, lengths):
        begin, end = end, end + length
        values[[place[name] for name in group], begin:end] = np.frombuffer(row[2]).reshape(len(group), length)
    return dict(zip(known, values))


def open_store(store):
    """Open a store for reading, after checking that it is one.

    Parameters
    ----------
    store : str or Path

    Returns
    -------
    sqlite3.Connection

    Raises
    ------
    ValueError
        If the file is missing, damaged or not a store.
    """
    path = file_path("store", store)
    if not path.is_file():
        raise ValueError(f"the store must be a file that emmd snr run wrote, got {store}: no such file")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        check_store(connection, store)
    except BaseException:
        connection.close()
        raise
    return connection


def check_store(connection, store):
    """Raise a ValueError unless a connection leads to an undamaged store of this format."""
    try:
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if mark != APPLICATION_ID:
            raise ValueError(f"the store must be a file that emmd snr run wrote, got another file: {store}")
        if version != FORMAT:
            raise ValueError(f"the store must have format {FORMAT}, got format {version} in {store}")
        damage = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if damage == "ok":
            damage = _changed_row(connection)
    except sqlite3.DatabaseError as error:
        raise ValueError(f"the store must be an undamaged emmd store, got {store}: {error}") from error
    if damage != "ok":
        raise ValueError(f"the store must be undamaged, got {store}: {' '.join(damage.split())}")


def checksum(row):
    """Return what the last column of each table holds: the CRC-32 of the row's other values.

    SQLite checks how a file is built; what changed inside a value only this shows.
    """
    return zlib.crc32(b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in row))


def _changed_row(connection):
    for table in ("experiments", "sessions", "runs"):
        for *row, written in connection.execute(f"SELECT * FROM {table}"):
            if checksum(row) != written:
                return f"the row of {table} that begins with {row[0]} is not as it was written"
    return "ok"


def _select(store, columns, experiment):
    instance("experiment", experiment, str | None, "the name of an experiment or None")
    chosen = ("", ()) if experiment is None else ("WHERE experiment = ?", (experiment,))
    with closing(open_store(store)) as connection:
        try:
            query = f"SELECT {columns} FROM runs {chosen[0]} ORDER BY key"
            return connection.execute(query, chosen[1]).fetchall()
        except sqlite3.DatabaseError as error:
            raise ValueError(f"the store must be undamaged, got {store}: {error}") from error


def _flat(row):
    run, key, experiment, version, config, status, reason, results, seconds = row
    config = json.loads(config)
    flat = {"id": run, "key": key, "experiment": experiment, "version": version}
    flat["repetition"] = config["repetition"]
    flat |= config["cell"]
    flat |= {f"start_{key}": value for key, value in config["start"].items()}
    flat["algorithm"] = algorithm_label(config["algorithm"])
    flat |= {f"option_{key}": value for key, value in config["algorithm"].items() if key != "method"}
    return flat | {"status": status, "reason": reason, **json.loads(results), "seconds": seconds}


def algorithm_label(algorithm):
    """Return how figures and tables call an algorithm.

    Parameters
    ----------
    algorithm : dict
        ``method`` and options.

    Returns
    -------
    str
        For example ``gradient EM (inner steps 5, step size best)``.
    """
    name = " ".join("EM" if word == "em" else word for word in algorithm["method"].split("_"))
    options = [f"{key.replace('_', ' ')} {algorithm[key]}" for key in sorted(algorithm) if key != "method"]
    return f"{name} ({', '.join(options)})" if options else name
