"""What is measured: a measurement plans rows, a row measures; both are found by their file."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from emmd.experiments.bench.clock import Spread


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes
    ----------
    baselines : list of Baseline
        Those that can run here.
    quick : bool
        Small problems and few rounds: to see that everything works, not to time it.
    large : bool
        Also problems of up to 1e7 rows in memory-mapped files.
    """

    baselines: list = field(default_factory=list)
    quick: bool = False
    large: bool = False

    @property
    def seconds(self):
        """Time to spend on the rounds of one row."""
        return 0.05 if self.quick else 2.0


@dataclass(frozen=True)
class Record:
    """One ratio.

    Attributes
    ----------
    row, measurement, problem : str
    baseline : str
        What emmd is compared with.
    ratio : Spread
        Median and quartiles over rounds.
    meaning : str
        What the ratio says, e.g. ``times faster``.
    emmd_seconds, baseline_seconds : float or None
        Medians.
    compile_seconds : float or None
        First call of the baseline less a later one: its compilation, in none of the times.
    difference, tolerance : float or None
        Largest difference of the two answers, and what is tolerated.
    refused : str
        Why there is no ratio, or "".
    note : str
    """

    row: str
    measurement: str
    problem: str
    baseline: str
    ratio: Spread | None
    meaning: str
    emmd_seconds: float | None = None
    baseline_seconds: float | None = None
    compile_seconds: float | None = None
    difference: float | None = None
    tolerance: float | None = None
    refused: str = ""
    note: str = ""


@dataclass(frozen=True)
class Row:
    """Something to measure, with a name to select it by.

    Attributes
    ----------
    name : str
    run : callable
        Returns a list of `Record`.
    """

    name: str
    run: Callable


class Measurement(ABC):
    """A group of rows of the table.

    Attributes
    ----------
    name : str
        Rows are called ``name/...``.
    order : int
        Its place in the table.
    """

    name = ""
    order = 0

    @abstractmethod
    def rows(self, options):
        """Return the `Row` objects for some `Options`; nothing is measured yet."""
