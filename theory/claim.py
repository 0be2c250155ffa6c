"""A claim is data: what is said, under which assumptions, and how both sides are computed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from emmd.core.checks import (
    all_of,
    any_number,
    describe,
    function_or_none,
    instance,
    known_name,
    positive_number,
    real_number,
)


class Kind(StrEnum):
    """What a claim says about predicted and observed."""

    IDENTITY = "identity"
    RATE = "rate"
    UPPER_BOUND = "upper bound"
    LOWER_BOUND = "lower bound"


@dataclass(frozen=True)
class Comparison:
    """One predicted number next to one observed number.

    Attributes
    ----------
    predicted, observed : float
        For a bound, `predicted` is the bound.
    budget : float
        Bound of the error of their difference: rounding, inner residuals, finite differences, search.
    scale : float
        Size against which a difference matters; by default the larger of the moduli of both sides.
    where : mapping
        Enough to reproduce the comparison: labels, iteration, parameters.
    trivial : float or None
        For a bound: the value that is true of everything; a bound beyond it says nothing.
    part : str
        The part of the claim to which the comparison belongs: an identity, a start, a side. Every part
        must be decided.
    """

    predicted: float
    observed: float
    budget: float
    scale: float = None  # type: ignore[assignment]  # a number as soon as it is settled
    where: Mapping = field(default_factory=dict)
    trivial: float | None = None
    part: str = ""

    def __post_init__(self):
        for name in ("predicted", "observed", "budget", "scale", "trivial"):
            value = getattr(self, name)
            # claims make thousands, of floats nearly always
            if not (isinstance(value, float) or (value is None and name in ("scale", "trivial"))):
                _settle(self, name, any_number(name, value))
        if self.scale is None:
            _settle(self, "scale", max(abs(self.predicted), abs(self.observed)))
        instance("where", self.where, Mapping, "a mapping")
        instance("part", self.part, str, "text")


@dataclass(frozen=True)
class Sabotage:
    """A false variant of a claim that the same checker must refute on the same data.

    Attributes
    ----------
    name : str
    variant : mapping
        Keyword arguments for the claim's `measure`.
    assumptions : tuple of callable
        As for `Claim`: where one fails, the variant is not false and is left out.
    truth : float or None
        Of a variant that is one number: its value in the true statement. Then the sabotage is graded: the
        smallest deviation from it that the check refutes is searched for.
    """

    name: str
    variant: Mapping
    assumptions: tuple = ()
    truth: float | None = None

    def __post_init__(self):
        instance("name", self.name, str, "text")
        variant = instance("variant", self.variant, Mapping, "a mapping of arguments of measure")
        _settle(
            self, "assumptions", all_of("assumptions", self.assumptions, Callable, "functions of the lab")
        )
        if self.truth is not None:
            real_number("truth", self.truth)
            if len(variant) != 1:
                raise ValueError(f"truth must stand beside a variant of one number, got {describe(variant)}")
            real_number("variant", *variant.values())

    def applies(self, lab: Any) -> bool:
        """Return whether the variant is false on a lab's problem."""
        return not any(assumption(lab) for assumption in self.assumptions)

    def graded(self, share: float) -> dict:
        """Return the variant that goes only a share of the way from the truth."""
        [(name, value)] = self.variant.items()
        return {name: self.truth + share * (value - self.truth)}


@dataclass(frozen=True)
class Claim:
    """A checkable statement.

    Attributes
    ----------
    id : str
        Begins with the statement's label, e.g. ``C1-exact-decrease``.
    statement : str
        In words.
    latex : str
        In symbols, or "".
    source : str
        Where the statement comes from, or "".
    kind : Kind
        An identity by default.
    measure : callable
        Required. ``measure(lab, **variant)`` yields `Comparison` objects; it grades nothing.
    sabotages : sequence of Sabotage
        Without one the claim never holds.
    assumptions : sequence of callable
        Each takes the lab and returns "" or what fails; evaluated before `measure`.
    proof : str
        Label of the symbolic proof that belongs to the claim, or "".
    compares : sequence of str
        Methods of a model, such as ``"e_step"``, of which one must be its own code for the two sides to be
        different code: where all are derived from the three functions that define the model, both sides come
        from one function.
    resolution : float
        A comparison whose budget exceeds resolution * scale decides nothing.
    scope : str
        ``problem``: checked on any weighted data in a `Lab`; ``population``: a
        statement about the population, checked over a stated grid in a `PopulationLab`;
        ``certificate``: about a proof in ball arithmetic, checked where proofs are asked for.
    certified : callable or None
        Takes the lab and yields `Comparison` objects whose predicted numbers are proved in ball arithmetic on
        this problem; none where the proof does not cover the claim.
    """

    id: str
    statement: str
    latex: str = ""
    source: str = ""
    kind: Kind = Kind.IDENTITY
    measure: Callable = None  # type: ignore[assignment]  # required, behind fields that are not
    sabotages: Sequence = ()
    assumptions: Sequence = ()
    proof: str = ""
    compares: Sequence = ()
    resolution: float = 1e-3
    scope: str = "problem"
    certified: Callable | None = None

    def __post_init__(self):
        for name in ("id", "statement", "latex", "source", "proof"):
            instance(name, getattr(self, name), str, "text")
        instance("kind", self.kind, Kind, "a Kind")
        if not callable(self.measure):
            raise TypeError(f"measure must be a function of the lab, got {describe(self.measure)}")
        _settle(self, "sabotages", all_of("sabotages", self.sabotages, Sabotage, "Sabotage objects"))
        _settle(
            self, "assumptions", all_of("assumptions", self.assumptions, Callable, "functions of the lab")
        )
        _settle(self, "compares", all_of("compares", self.compares, str, "names of methods"))
        positive_number("resolution", self.resolution)
        known_name("scope", self.scope, ["certificate", "population", "problem"])
        function_or_none("certified", self.certified)

    @property
    def name(self) -> str:
        """The id, by which discovery lists the claim."""
        return self.id

    def independent(self, model: Any) -> bool:
        """Return whether the two sides are different code on a model."""
        return not self.compares or any(model.has_own(method) for method in self.compares)

    @property
    def label(self) -> str:
        """The part of the id before the first dash."""
        return self.id.partition("-")[0]


def _settle(record, name, value):
    """Replace a field by what its check made of it: dataclasses that are frozen need a way round."""
    object.__setattr__(record, name, value)


def componentwise(predicted, observed, budget, scale, part="", **where):
    """Yield one `Comparison` per entry of two vectors.

    Parameters
    ----------
    predicted, observed, budget, scale : ndarray of shape (p,)
    part : str
        Of the claim.
    **where
        Shared by all; the entry's index is added as ``component``.
    """
    for j, (side, other, error, size) in enumerate(zip(predicted, observed, budget, scale)):
        sides = float(side), float(other), float(error), float(size)
        yield Comparison(*sides, {**where, "component": j}, part=part)
