"""Where worker processes come from. Light to import: commands call `prepare` before their heavy imports."""

import multiprocessing
import os
import signal
import sys
import threading

_FORKED = sys.platform == "linux"
"""Elsewhere system libraries start threads on import, and those do not survive a fork."""


def context():
    """Return the `multiprocessing` context of the workers.

    They are forked from a server that has imported what they need and has run nothing: forked from this
    process, they would miss the threads that Numba may have started in it.
    """
    if not _FORKED:
        return multiprocessing.get_context("spawn")
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["experiments.snr.preloaded"])
    return forking


def prepare():
    """Let the server begin its imports now, while this process goes on with its own."""
    context()
    if _FORKED:
        from multiprocessing.forkserver import ensure_running

        ensure_running()


def begin(environment):
    """Set up a worker: the parent's environment, no Ctrl-C, and no life after the parent's.

    Parameters
    ----------
    environment : dict
        Variables of the parent; a server keeps those from when it was started.
    """
    os.environ.update(environment)
    # Ctrl-C reaches the whole group: the parent alone answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent():
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
