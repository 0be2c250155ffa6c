"""What a measure is: numbers that are kept of a run, next to what every run keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a measure depends on; it is computed once for each."""

    SAMPLE = "sample"
    ALGORITHM = "algorithm"
    RUN = "run"


@dataclass(frozen=True)
class Measure:
    """Each measure is one file in `measures`.

    Attributes
    ----------
    name : str
        What the key ``measures`` of an experiment file calls it.
    scope : Scope
    measure : callable
        ``measure(sample)``, ``measure(sample, algorithm)`` or ``measure(sample, algorithm, result)``
        by scope; returns a dict of numbers, None for what does not exist.
    sources : tuple of str
        Names of the sources whose samples it can measure.
    """

    name: str
    scope: Scope
    measure: Callable
    sources: tuple = ("snr",)
