"""A progress bar on standard error for long population computations, or the caller's own function."""

from rich.console import Console
from rich.progress import track

from emmd.core.checks import describe

__all__ = ["reported"]


def reported(values, total, progress, what):
    """Return an iterator over `values` that reports each one when it is there.

    Parameters
    ----------
    values : iterable
    total : int
    progress : bool, callable or None
        True shows a bar when standard error is a terminal; a callable is called as
        ``progress(done, total)`` from the calling thread; False and None report nothing.
    what : str
        What is being computed, for the bar.

    Raises
    ------
    TypeError
        For anything else.
    """
    if progress is True:
        console = Console(stderr=True)
        return track(values, what, total, console=console, transient=True, disable=not console.is_terminal)
    if callable(progress):
        return _called(values, total, progress)
    if progress is not None and progress is not False:
        raise TypeError(f"progress must be True, False, None or callable, got {describe(progress)}")
    return iter(values)


def _called(values, total, progress):
    for done, value in enumerate(values, start=1):
        progress(done, total)
        yield value
