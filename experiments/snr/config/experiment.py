"""What an experiment file may say."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from emmd.core.checks import known_name
from emmd.core.discover import discover
from emmd.core.loop.solve import make_algorithm
from emmd.experiments.snr.config.fields import Count, Positive, Section
from emmd.experiments.snr.plan.measure import Measure
from emmd.experiments.snr.plan.sample import STEP_WORDS
from emmd.experiments.snr.plan.source import Source
from emmd.experiments.snr.plan.starts import Start
from emmd.experiments.snr.report.figure import ReportFigure


class AlgorithmConfig(Section):
    """A block ``[[algorithms]]``: a method of `emmd.minimize` with its options.

    Attributes
    ----------
    method : str
    step_size : float, "best", "safe" or "backtracking", optional
    max_iter : int, optional
        In the place of that of ``[stopping]``: algorithms whose iterations cost less may do more of them.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    method: str
    step_size: float | str | None = None
    max_iter: Count | None = None

    @model_validator(mode="after")
    def _known(self):
        options = self.plain()
        if options.get("step_size") in STEP_WORDS:
            options["step_size"] = 0.5
        try:
            make_algorithm(**options)
        except TypeError as error:
            raise ValueError(str(error)) from None
        return self

    def plain(self):
        """Return the block as a plain dict without what was not given."""
        return self.model_dump(exclude_none=True, exclude={"max_iter"})


class Stopping(Section):
    """Block ``[stopping]``: see `emmd.minimize`."""

    tol: Positive = 1e-8
    max_iter: Count = 10_000


class Record(Section):
    """Block ``[record]``: what is kept of each path.

    Attributes
    ----------
    trace : bool
        Keep loss and parameter error against iterations, evaluations and seconds.
    points : int
        At most this many iterates of a path, the first and the last among them, denser at the start.
    """

    trace: bool = True
    points: Annotated[int, Field(ge=2)] = 200


def _source(block):
    """Validate a block by the source it names; pydantic keeps the place of an error inside."""
    if not isinstance(block, dict):
        raise ValueError("must be a block [[problems]]")
    sources = discover("emmd.experiments.snr.sources", Source, classes=True).plugins
    kind = sources[known_name("source", block.get("source", "snr"), sources)]
    return kind.model_validate({key: value for key, value in block.items() if key != "source"})


def _named(kind, package, base):
    def check(names):
        known = discover(package, base).plugins
        return [known_name(kind, name, known) for name in names]

    return AfterValidator(check)


Measures = Annotated[list[str], _named("measures", "emmd.experiments.snr.measures", Measure)]
Figures = Annotated[list[str], _named("figures", "emmd.experiments.figures", ReportFigure)]


class Experiment(Section):
    """One experiment file.

    Attributes
    ----------
    name : str
        Part of every seed: two experiments never share random numbers.
    title : str
        Heading of the report.
    repetitions : int
        Samples per cell.
    problems : list of Source
        Blocks ``[[problems]]``.
    starts : list
        Blocks ``[[starts]]``.
    algorithms : list of AlgorithmConfig
    stopping : Stopping
    record : Record
    measures : list of str
        Files of `emmd.experiments.snr.measures`.
    figures : list of str
        Figures of the report.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str = ""
    repetitions: Count = 1
    problems: Annotated[list[Annotated[Source, BeforeValidator(_source)]], Field(min_length=1)]
    starts: Annotated[list[Start], Field(min_length=1)]
    algorithms: Annotated[list[AlgorithmConfig], Field(min_length=1)]
    stopping: Stopping = Stopping()
    record: Record = Record()
    measures: Measures = Field(default=[])
    figures: Figures = Field(default=[])

    def require(self):
        """Raise a ValueError when data that the problems need are missing on this machine."""
        for block in self.problems:
            block.require()

    @model_validator(mode="after")
    def _fitting(self):
        for block in self.problems:
            for k, start in enumerate(self.starts):
                _one_of(f"starts[{k}].kind", start.kind, block.starts, block)
            for k, algorithm in enumerate(self.algorithms):
                if algorithm.step_size in STEP_WORDS:
                    _one_of(f"algorithms[{k}].step_size", algorithm.step_size, block.step_words, block)
            for name in self.measures:
                known = [other for other, measure in _measures().items() if block.name in measure.sources]
                _one_of("measures", name, known, block)
        return self


def _one_of(place, value, known, source):
    if value not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise ValueError(f"{place} must be one of {listed} for source {source.name!r}, got {value!r}")


def _measures():
    return discover("emmd.experiments.snr.measures", Measure).plugins
