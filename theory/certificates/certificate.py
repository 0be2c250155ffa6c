"""A certificate: the numbers of a theorem about EM on one data set, and the proof that they are right."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from os import PathLike
from typing import Any

import numpy as np

from emmd.core.problem import Problem, required_problem
from emmd.models.symmetric.linear import SymMoLinE
from emmd.models.symmetric.logistic import SymMoLogE
from emmd.theory.certificates import file
from emmd.theory.certificates.balls import NotProved, precision, require_balls, rounded
from emmd.theory.certificates.parts.basin import Basin, BasinPlan
from emmd.theory.certificates.parts.guesses import FloatRows
from emmd.theory.certificates.parts.optimum import prove_optimum, require_within
from emmd.theory.certificates.parts.path import prove_entry
from emmd.theory.certificates.parts.rate import informations, prove_rate
from emmd.theory.certificates.rows import Rows

_PROVED = (SymMoLinE, SymMoLogE)
"""The classes whose formulas are written down in balls; a subclass may mean something else."""


def provable(model: Any) -> bool:
    """Return whether the formulas of a model are written down in balls."""
    return type(model) in _PROVED


def provable_model(model: Any) -> str:
    """Return a model's name, or raise a ValueError where no proof is known for it."""
    if not provable(model):
        raise ValueError(
            f"a certificate needs a model whose proof is known (symmoline, symmologe), got {model.name}: "
            "of K experts and of other models the set is curved, or the formula unknown"
        )
    return model.name


def data_of(problem: Problem) -> tuple:
    """Return model name, X, y, weights and sigma: all that a proof knows of a problem."""
    name = provable_model(required_problem(problem).model)
    arrays = (
        np.ascontiguousarray(each, dtype=np.float64) for each in (problem.X, problem.y, problem.weights)
    )
    return (name, *arrays, float(problem.model.sigma))


def digest_of(problem: Problem) -> str:
    """Return a digest of a problem's exact floats."""
    name, *arrays, sigma = data_of(problem)
    state = hashlib.sha256(f"{name} {sigma.hex()} {arrays[0].shape}".encode())
    for array in arrays:
        state.update(array.tobytes())
    return state.hexdigest()


@dataclass(frozen=True, eq=False)
class Certificate:
    """A theorem about EM from one start on one data set, or the reason why there is none.

    All numbers are floats that the theorem is true of, not approximations: `rate` is an enclosure, `radius`
    and `basin_level` are rounded down, `error` and `basin_rate` up.

    Attributes
    ----------
    model : str
    start : ndarray of shape (p,)
        theta_0.
    certified : bool
        Whether everything below is proved.
    reason : str
        Of a certificate that failed: which inequality, and by how much; "" otherwise.
    optimum : ndarray of shape (p,)
        The computed optimum.
    radius : float
        One and only one stationary point lies within this Euclidean distance of it: theta*, a minimum.
    error : float
        theta* is no farther from the computed optimum.
    rate : tuple of float
        Lower and upper end of lambda_max(M(theta*)).
    basin_rate : float
        rho: on {D_A(theta*, .) <= basin_level} every step multiplies D_A(theta*, .) by at most rho.
    basin_level : float
        c.
    basin_radius : float
        r, in units where hess A(theta*) = 1: D_B(theta*, .) <= rho D_A(theta*, .) on that ball around theta*,
        which holds the basin.
    steps : int
        T: theta_T is in the basin.
    proof : dict
        What the proof is tried with.
    digest : str
        Of the data's exact floats.
    """

    model: str
    start: np.ndarray
    certified: bool
    reason: str = ""
    optimum: np.ndarray = field(default_factory=lambda: np.zeros(0))
    radius: float = 0.0
    error: float = np.inf
    rate: tuple = (0.0, np.inf)
    basin_rate: float = 1.0
    basin_level: float = 0.0
    basin_radius: float = 0.0
    steps: int = 0
    proof: dict = field(default_factory=dict)
    digest: str = ""
    problem: Problem | None = field(default=None, repr=False)

    def check(self, problem: Problem | None = None, progress: Callable | None = None) -> bool:
        """Prove the certificate again, from the data alone, and return whether that succeeds.

        Parameters
        ----------
        problem : emmd.Problem, optional
            The data; those it was made of by default.
        progress : callable, optional
            Called as ``progress(step, steps)`` along the path.

        Raises
        ------
        ValueError
            Without python-flint, or for a certificate from a file without a problem.
        """
        return not self.objection(problem, progress)

    def objection(self, problem: Problem | None = None, progress: Callable | None = None) -> str:
        """Return the sentence that says what `check` refuses, or "" for a proof."""
        require_balls()
        problem = self.problem if problem is None else required_problem(problem)
        if problem is None:
            raise ValueError("problem must be given to check a certificate from a file, got None")
        if not self.certified:
            return f"nothing was certified: {self.reason}"
        if digest_of(problem) != self.digest:
            return "the data are not those of the certificate: their digests differ"
        try:
            prove(self, problem, progress)
        except NotProved as failure:
            return str(failure)
        return ""

    def save(self, path: str | PathLike) -> None:
        """Write the certificate to a file; `emmd.theory.load_certificate` reads it.

        Raises
        ------
        ValueError
            For a file that cannot be written.
        """
        numbers = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "problem"}
        file.write(path, numbers)

    def statement(self) -> str:
        """Return the theorem with its numbers, or why there is none."""
        if not self.certified:
            return f"Not certified: {self.reason.rstrip('.')}."
        # every decimal is rounded to the side on which the sentence stays true
        lower, upper = rounded(self.rate[0], 15, up=False), rounded(self.rate[1], 15, up=True)
        radius, error = rounded(self.radius, 6, up=False), rounded(self.error, 3, up=True)
        rho, c, T = rounded(self.basin_rate, 9, up=True), rounded(self.basin_level, 6, up=False), self.steps
        return "\n".join(
            [
                f"Theorem ({self.model}, data with digest {self.digest[:12]}; proved in ball arithmetic).",
                f"1. Exactly one stationary point theta* of L lies within {radius} of the computed "
                f"optimum, and it is within {error} of it; it is a strict local minimum.",
                f"2. EM's local rate there: {lower} <= lambda_max(M(theta*)) <= {upper}.",
                f"3. EM never leaves {{D_A(theta*, .) <= {c}}}, and each step multiplies D_A(theta*, .) "
                f"by at most {rho} there.",
                f"4. From the given start EM is in the basin after {T} steps; so for t >= {T}",
                f"   D_A(theta*, theta_t) <= {rho}^(t - {T}) * {c}, "
                f"and for t > {T} L(theta_t) - L(theta*) is no larger.",
            ]
        )


def prove(certificate: Certificate, problem: Problem, progress: Callable | None = None) -> Certificate:
    """Prove every number of a certificate on a problem, or raise `NotProved`; return the certificate."""
    data = data_of(problem)
    _require_sense(certificate, problem)
    proof = certificate.proof
    # a guess from numbers that make no sense may overflow: the proof then fails
    with precision(), np.errstate(all="ignore"):
        rows, floats = Rows(*data), FloatRows(*data)
        optimum = prove_optimum(
            rows, floats, certificate.optimum, proof["whitened_radius"], proof["convexity"]
        )
        require_within(optimum, certificate.radius, certificate.error)
        prove_rate(*informations(rows, optimum), *certificate.rate)
        Basin(rows, optimum, basin_plan(certificate)).prove()
        prove_entry(
            rows,
            floats,
            optimum,
            certificate.start,
            certificate.steps,
            certificate.basin_level,
            progress,
        )
    return certificate


def _require_sense(certificate, problem):
    """Raise `NotProved` where a number means nothing: the proofs assume that these are positive."""
    proof = certificate.proof
    positive = (
        certificate.radius,
        certificate.basin_radius,
        certificate.basin_level,
        *(proof.get(name, 0.0) for name in ("whitened_radius", "convexity")),
    )
    if not (all(0.0 < value < np.inf for value in positive) and certificate.steps >= 0):
        raise NotProved("radii, levels and convexity must be positive and finite, and steps not negative")
    if certificate.model != problem.model.name or certificate.reason:
        raise NotProved(f"the certificate must be of {problem.model.name} and without a reason against it")
    if not certificate.start.shape == certificate.optimum.shape == (problem.n_params,):
        raise NotProved(f"start and optimum must have {problem.n_params} entries")


def basin_plan(certificate: Certificate) -> BasinPlan:
    """Return what the proof of the basin is tried with."""
    shape = {name: certificate.proof[name] for name in ("cubic", "power", "level_cubic")}
    return BasinPlan(certificate.basin_rate, certificate.basin_radius, certificate.basin_level, **shape)


def load_certificate(path: str | PathLike) -> Certificate:
    """Read a certificate that `Certificate.save` has written; ``check(problem)`` proves it again.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Certificate
        Without a problem. Where the file was changed it is not certified, and `reason` says so.

    Raises
    ------
    ValueError
        For a file that is not a certificate.
    """
    numbers, changed = file.read(path)
    loaded = Certificate(**numbers)
    return replace(loaded, certified=False, reason=changed) if changed else loaded
