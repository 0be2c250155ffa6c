"""Outputs that are closed, full, or read by someone who has seen enough; and Ctrl-C."""

import io
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager


class Interrupted(Exception):
    """Ctrl-C, with a sentence on what is kept and how to go on."""


class Interrupts:
    """Handler of Ctrl-C: the first one arrives, and a second one does not disturb the end it has begun.

    What a handler raises is lost in a finalizer, and where compiled code calls Python: a Ctrl-C that nobody
    deals with a moment later is sent again.
    """

    _SECONDS = 2.0
    _ARRIVES = 0.1

    def __init__(self):
        self._last = float("-inf")
        self._answers = False

    @contextmanager
    def listening(self):
        """Answer Ctrl-C; afterwards it is ignored, for a late one must not kill what has ended well."""
        report = sys.unraisablehook
        self._answers = True
        signal.signal(signal.SIGINT, self)
        sys.unraisablehook = lambda lost: _is_interrupt(lost.exc_value) or report(lost)
        try:
            yield
        finally:
            # Python would put its own handler back while it ends
            self._answers = False
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.unraisablehook = report

    def __call__(self, number, frame):
        """Raise KeyboardInterrupt, unless it was raised just now."""
        before, self._last = self._last, time.monotonic()
        if self._last - before > self._SECONDS:
            timer = threading.Timer(self._ARRIVES, self._send_again)
            timer.daemon = True
            timer.start()
            raise KeyboardInterrupt

    def _send_again(self):
        """Send Ctrl-C to the main thread once more, unless it has begun to deal with it."""
        main = threading.main_thread().ident
        active = None if main is None else sys._current_exceptions().get(main)
        if main is None or not self._answers or _is_interrupt(active):
            return
        self._last = float("-inf")
        if hasattr(signal, "pthread_kill"):
            # what the thread waits for ends too
            signal.pthread_kill(main, signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)


def _is_interrupt(error):
    """Return whether an exception, or what was being dealt with when it was raised, is Ctrl-C."""
    # Python 3.11 tells the exception that a thread deals with as a triple
    error = error[1] if isinstance(error, tuple) else error
    return error is not None and (isinstance(error, KeyboardInterrupt) or _is_interrupt(error.__context__))


class _Guarded:
    """A stream that goes on in silence when its reader has left.

    Parameters
    ----------
    stream : file object
    required : bool
        Whether what is written must arrive: then a full disk is an error.
    """

    def __init__(self, stream, required):
        self._stream = stream
        self._required = required
        if isinstance(stream, io.TextIOWrapper):
            # a name that the terminal's alphabet lacks must not end a command
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        self._try(self._stream.write, text)
        return len(text)

    def flush(self):
        self._try(self._stream.flush)

    def _try(self, act, *arguments):
        try:
            act(*arguments)
        except OSError as error:
            self._go_on_into_nothing()
            if self._required and not isinstance(error, BrokenPipeError):
                raise ValueError(f"standard output must take what is written, got: {error}") from error

    def _go_on_into_nothing(self):
        """What is still in the buffer would be an error again, at the end of the process."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)


@contextmanager
def guarded():
    """Guard both streams; a standard output that is closed stays None."""
    before = sys.stdout, sys.stderr
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = _Guarded(sys.stderr, required=False)
    if sys.stdout is not None:
        sys.stdout = _Guarded(sys.stdout, required=True)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
