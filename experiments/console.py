"""Two consoles: results to standard output, progress and warnings to standard error."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

results = Console(highlight=False)
if not results.is_terminal:
    # a file or a pipe has no width of its own; the widest table needs this much
    results = Console(highlight=False, width=136)
messages = Console(stderr=True, highlight=False)


@contextmanager
def progress(total, what):
    """Show a progress bar on standard error; yields ``advance(description)``."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda description="": bar.update(task, advance=1, description=f"{what} {description}".strip())


def announce_compilation():
    """Say so when the kernels are not compiled yet on this machine, before a progress bar is up."""
    from emmd.kernels import disk_cache

    disk_cache.announce_compilation()
