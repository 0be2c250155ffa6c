"""The store: one SQLite file, one transaction for every run."""

import json
import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from emmd.experiments.snr.plan.seeds import canonical
from emmd.experiments.snr.run.execute import FAILED
from emmd.experiments.snr.run.machine import machine_facts
from emmd.experiments.snr.store.lock import writing_alone
from emmd.runs import APPLICATION_ID, FORMAT, check_store, checksum, open_store

_TABLES = """
CREATE TABLE experiments (
    name TEXT PRIMARY KEY, config TEXT NOT NULL, position INTEGER NOT NULL, checksum INTEGER NOT NULL
);
CREATE TABLE runs (
    id TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    experiment TEXT NOT NULL,
    version TEXT NOT NULL,
    config TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    traceback TEXT NOT NULL,
    results TEXT NOT NULL,
    session INTEGER NOT NULL,
    seconds REAL NOT NULL,
    columns TEXT NOT NULL,
    trace BLOB NOT NULL,
    seconds_trace BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, began REAL NOT NULL, jobs TEXT NOT NULL, facts TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
"""

_LOG_PAGES = 2000
"""Pages of 4 kB that the write-ahead log gathers before it is folded into the file and synced."""


class Store:
    """A store opened for writing, from `writing`.

    Attributes
    ----------
    path : Path
    version : str
        Of the code that the runs of this session are made with.
    """

    def __init__(self, connection, path, version):
        self._connection = connection
        self.path = path
        self.version = version
        self._session = 0

    def begin(self, experiment, text, jobs):
        """Note an experiment, its file and this session's machine."""
        with self._transaction() as run:
            known = dict(run("SELECT name, position FROM experiments"))
            run("DELETE FROM experiments WHERE name = ?", (experiment,))
            _put(run, "experiments", (experiment, text, known.get(experiment, len(known))))
            self._session = 1 + run("SELECT count(*) FROM sessions").fetchone()[0]
            _put(run, "sessions", (self._session, time.time(), jobs, canonical(machine_facts())))

    def other_versions(self):
        """Return the code versions of finished runs that differ from this session's."""
        rows = self._connection.execute(
            "SELECT DISTINCT version FROM runs WHERE version != ?", (self.version,)
        )
        return sorted(version for (version,) in rows)

    def finished(self):
        """Return the keys of all runs that ended, failed ones included."""
        return {key for (key,) in self._connection.execute("SELECT key FROM runs")}

    def failed(self, keys):
        """Return the keys of runs that raised an exception, out of `keys`."""
        rows = self._connection.execute("SELECT key FROM runs WHERE status = ?", (FAILED,))
        return {key for (key,) in rows} & set(keys)

    def forget(self, keys):
        """Drop runs, so that they are done again."""
        with self._transaction() as run:
            for key in keys:
                run("DELETE FROM runs WHERE key = ?", (key,))

    def save(self, outcomes):
        """Add finished runs, a transaction for each: after a crash it is whole, or not there.

        Raises
        ------
        ValueError
            When the disk is full; what was saved before stays.
        """
        for outcome in outcomes:
            with self._transaction() as run:
                _put(run, "runs", self._row(outcome))

    def _row(self, outcome):
        """What the table keeps of a run; session and times differ from machine to machine."""
        done = outcome.run
        return (
            done.id(self.version),
            done.key,
            done.data.experiment,
            self.version,
            done.text,
            outcome.status,
            outcome.reason,
            outcome.traceback,
            json.dumps(outcome.results),
            self._session,
            outcome.seconds,
            ",".join(outcome.trace),
            b"".join(column.tobytes() for column in outcome.trace.values()),
            outcome.seconds_trace.tobytes(),
        )

    @contextmanager
    def _transaction(self):
        try:
            with _begun(self._connection):
                yield self._connection.execute
        except sqlite3.OperationalError as error:
            raise ValueError(
                f"the store {self.path} cannot be written to: {error}; finished runs are kept, "
                "the same command goes on from there"
            ) from error

    def close(self):
        """Fold the write-ahead log into the one file, unless a reader is using it."""
        with suppress(sqlite3.OperationalError):
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()


def _put(run, table, row):
    places = ", ".join("?" * (len(row) + 1))
    run(f"INSERT INTO {table} VALUES ({places})", (*row, checksum(row)))


@contextmanager
def _begun(connection):
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def writing(path, version, wait=False):
    """Open a store for writing, made when missing; nobody else writes it meanwhile.

    Parameters
    ----------
    path : str or Path
    version : str
        Code version of this session.
    wait : bool
        Wait when another process is writing.

    Raises
    ------
    ValueError
        If the file is damaged, is not a store, is in use, or cannot be written to. It is left as it was.
    """
    path = Path(path)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"--store must be a file in an existing folder, got {path}")
    if _has_content(path):
        _check(path)
    with writing_alone(path, wait):
        store = Store(_connect(path), path, version)
        try:
            yield store
        finally:
            store.close()


def _has_content(path):
    return path.exists() and os.path.getsize(path) > 0


def _check(path):
    """Look at the file through a read-only connection, so that a foreign file is not changed."""
    open_store(path).close()


def _connect(path):
    try:
        connection = sqlite3.connect(path, timeout=60.0, isolation_level=None)
        if not _has_content(path):
            # one transaction, so that a store is either empty or whole
            marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
            connection.executescript(f"BEGIN; {_TABLES} {marks} COMMIT;")
        check_store(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # a killed process loses nothing committed; a power cut may lose the last runs, never a part of one
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    except sqlite3.Error as error:
        raise ValueError(f"--store must be a file that can be written to, got {path}: {error}") from error
    return connection
