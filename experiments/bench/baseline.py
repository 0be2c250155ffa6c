"""What emmd is measured against: a baseline is data and one function, found by its file."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Runner:
    """A rival made ready for one problem.

    Attributes
    ----------
    advance : callable
        ``(theta, steps) -> theta``: evaluates the EM map `steps` times and returns the last iterate in
        emmd's layout (None for a floor). Its first call may compile.
    """

    advance: Callable

    @classmethod
    def of_map(cls, step):
        """Return the runner of an EM map ``theta -> (image, loss)``."""

        def advance(theta, steps):
            for _ in range(steps):
                theta, _ = step(theta)
            return theta

        return cls(advance)

    def seconds(self, theta, steps):
        """Return the processor time of one of `steps` consecutive map evaluations from theta.

        Processor time of all threads of this process: other programs on the machine cannot stretch it.
        """
        began = time.process_time()
        self.advance(theta, steps)
        return (time.process_time() - began) / steps


class Baseline(ABC):
    """A rival implementation of the EM map, or a floor that computes part of it.

    Attributes
    ----------
    name : str
        What ``--baseline`` calls it.
    title : str
        For tables.
    floor : bool
        Whether it is a lower bound of the work rather than a rival: its ratio is emmd's time over
        its own, and it has no answer to compare.
    compiles : bool
        Whether its first call compiles.
    most_rounds : int
        Rounds of timing, at most.
    """

    name = ""
    title = ""
    floor = False
    compiles = False
    most_rounds = 1000

    def missing(self):
        """Return "" when the baseline can run on this machine, else what is missing."""
        return ""

    def refuses(self, timed):
        """Return "" when the baseline can solve a problem, else why not."""
        return ""

    def tolerance(self, timed):
        """Return the largest difference from emmd's answer that is tolerated.

        It is the root mean square change of the predictors relative to 1 plus their size. A baseline that
        differs by more is refused: it computes something else.
        """
        return 1e-10

    @abstractmethod
    def prepare(self, timed):
        """Return a `Runner` for a `TimedProblem`; copies and layouts are made here, outside the clock."""
