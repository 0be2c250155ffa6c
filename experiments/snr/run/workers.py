"""Where worker processes come from. Light to import: commands call `prepare` before their heavy imports."""

import multiprocessing
import multiprocessing.util
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
    forking.set_forkserver_preload(["emmd.experiments.snr.run.preloaded"])
    return forking


def prepare():
    """Let the server begin its imports now, while this process goes on with its own."""
    context()
    if _FORKED:
        from multiprocessing.forkserver import ensure_running

        # Ctrl-C reaches the whole group, and this process alone answers: the server and all that it forks
        # inherit that they do not
        answer = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            ensure_running()
        finally:
            signal.signal(signal.SIGINT, answer)


def begin(environment):
    """Set up a worker: the parent's environment, no Ctrl-C, an end on demand, and no life after the parent's.

    Parameters
    ----------
    environment : dict
        Variables of the parent; a server keeps those from when it was started.
    """
    os.environ.update(environment)
    # once more: the server may have been started by another
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _leave(number, frame):
    """End in the middle of a run, and give back what a process that is killed would leave to others."""
    # the executor asks again when it sees the first worker gone
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    multiprocessing.util._exit_function()  # type: ignore[attr-defined]
    os._exit(1)


def _follow_parent():
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
