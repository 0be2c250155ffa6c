"""From an experiment to its runs: what will be done, under names that stay the same."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from emmd.experiments.snr.plan.seeds import canonical, digest, digest_of_text


@dataclass(frozen=True, eq=False)
class Data:
    """One sample of one cell, shared by all its starts and algorithms; equal when its key is.

    Attributes
    ----------
    experiment : str
    cell : dict
    repetition : int
    model_keys : tuple of str
        Keys of the cell that do not decide what is drawn.
    """

    experiment: str
    cell: dict
    repetition: int
    model_keys: tuple = ()

    @cached_property
    def names(self):
        """The names that decide the random numbers of the sample and of its starts."""
        drawn = {key: value for key, value in self.cell.items() if key not in self.model_keys}
        return ("data", self.experiment, drawn, self.repetition)

    @cached_property
    def key(self):
        """Identifies the sample."""
        return digest(("data", self.experiment, self.cell, self.repetition))

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return isinstance(other, Data) and self.key == other.key


@dataclass(frozen=True)
class Run:
    """One path: a sample, a start, an algorithm, and what to keep.

    Attributes
    ----------
    data : Data
    start, algorithm : dict
    common : dict
        Stopping rule, record and measures of the experiment.
    """

    data: Data
    start: dict
    algorithm: dict
    common: dict

    @property
    def config(self):
        """Everything that decides the run's numbers but the code, as a plain dict."""
        return {
            "experiment": self.data.experiment,
            "cell": self.data.cell,
            "repetition": self.data.repetition,
            "start": self.start,
            "algorithm": self.algorithm,
            **self.common,
        }

    @cached_property
    def text(self):
        """The config as its canonical text."""
        return canonical(self.config)

    @cached_property
    def key(self):
        """Identifies the run's config and, through its names, the seed of its data."""
        return digest_of_text(self.text)

    def with_limit(self, max_iter):
        """Return the same run with another iteration limit."""
        stopping = {**self.common["stopping"], "max_iter": max_iter}
        return replace(self, common={**self.common, "stopping": stopping})

    def id(self, version):
        """Return the run's id: config, data seed and code version."""
        return digest([self.key, self.data.key, version])


@dataclass(frozen=True)
class Plan:
    """All runs of an experiment, in order.

    Attributes
    ----------
    experiment : Experiment
    runs : list of Run
        Runs on the same data are neighbours.
    """

    experiment: Any
    runs: list

    @property
    def n_samples(self):
        """Number of different data sets."""
        return len({run.data.key for run in self.runs})

    @property
    def n_cells(self):
        """Number of cells of the grids."""
        return sum(len(block.cells()) for block in self.experiment.problems)


def make_plan(experiment):
    """Return the `Plan` of an `Experiment`.

    Raises
    ------
    ValueError
        When two blocks of the experiment describe the same run.
    """
    starts = [start for block in experiment.starts for start in block.each()]
    algorithms = [(algorithm.plain(), _common(experiment, algorithm)) for algorithm in experiment.algorithms]
    runs = [
        Run(data, start, algorithm, common)
        for data in _samples(experiment)
        for start in starts
        for algorithm, common in algorithms
    ]
    _refuse_twins(runs)
    return Plan(experiment, runs)


def _common(experiment, algorithm):
    stopping = experiment.stopping.model_dump()
    if algorithm.max_iter is not None:
        stopping["max_iter"] = algorithm.max_iter
    return {
        "stopping": stopping,
        "record": experiment.record.model_dump(),
        "measures": sorted(experiment.measures),
    }


def _samples(experiment):
    for block in experiment.problems:
        for cell in block.cells():
            for repetition in range(experiment.repetitions):
                yield Data(experiment.name, cell, repetition, block.model_keys)


def _refuse_twins(runs):
    seen = set()
    for run in runs:
        if run.key in seen:
            raise ValueError(
                "CONFIG must describe each run once, got twice: "
                f"{run.data.cell}, {run.start}, {run.algorithm}"
            )
        seen.add(run.key)
