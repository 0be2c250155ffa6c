"""One writer per store: a lock that the operating system frees when its holder dies."""

import sqlite3
from contextlib import closing, contextmanager

_LONGEST = 2e6
"""Seconds, 23 days: SQLite counts milliseconds in 32 bits."""


@contextmanager
def writing_alone(path, wait):
    """Hold the right to write a store.

    Parameters
    ----------
    path : str or Path
        The store. An empty file ``<path>.lock`` next to it carries the lock: readers are not shut out.
    wait : bool
        Wait for another process to finish, for weeks if need be.

    Raises
    ------
    ValueError
        If another process holds it and `wait` is false, or the folder cannot be written to.
    """
    # SQLite locks files on every system that Python runs on, and the lock ends with the process
    try:
        holder = sqlite3.connect(f"{path}.lock", timeout=_LONGEST if wait else 0.0, isolation_level=None)
    except sqlite3.Error as error:
        raise _unwritable(path, error) from error
    with closing(holder):
        try:
            holder.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise _unwritable(path, error) from error
            raise ValueError(
                f"the store {path} is being written by another process; wait for it, or give --wait"
            ) from None
        yield


def _unwritable(path, error):
    return ValueError(f"--store must be a file in a folder that can be written to, got {path}: {error}")
