"""Outputs that are closed, full, or read by someone who has seen enough; and Ctrl-C."""

import io
import os
import sys
import time
from contextlib import contextmanager


class Interrupted(Exception):
    """Ctrl-C, with a sentence on what is kept and how to go on."""


class Interrupts:
    """Handler of Ctrl-C: an impatient second one must not disturb the end that the first one has begun."""

    _SECONDS = 2.0

    def __init__(self):
        self._last = float("-inf")

    def __call__(self, number, frame):
        """Raise KeyboardInterrupt, unless it was raised just now."""
        before, self._last = self._last, time.monotonic()
        if self._last - before > self._SECONDS:
            raise KeyboardInterrupt


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
