"""Two consoles: results to standard output, progress and warnings to standard error."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from emmd.experiments.console.text import visible

# names are text: :key: is no picture
results = Console(highlight=False, emoji=False)
if not results.is_terminal:
    # a file or a pipe has no width of its own; the widest table needs this much
    results = Console(highlight=False, emoji=False, width=160)
messages = Console(stderr=True, highlight=False, emoji=False)


def literal(text, longest=None):
    """Return a user's text for tables and consoles, which would read brackets in a string as markup.

    Parameters
    ----------
    text : object
    longest : int, optional
        See `emmd.experiments.console.text.visible`.

    Returns
    -------
    rich.text.Text
        To stand alone, or beside others in ``Text.assemble``.
    """
    return Text(visible(text, longest))


@contextmanager
def progress(total, what):
    """Show a progress bar on standard error; yields ``advance(description, count)``."""
    described = TextColumn("{task.description}", markup=False)
    columns = (described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda description="", count=1: bar.update(
            task, advance=count, description=visible(f"{what} {description}".strip())
        )


def announce_compilation():
    """Say so when the kernels are not compiled yet on this machine, before a progress bar is up."""
    from emmd.kernels.compile import disk_cache

    disk_cache.announce_compilation()
