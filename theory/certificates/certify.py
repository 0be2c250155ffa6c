"""Make a certificate: find its numbers in floats, then prove them in balls."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import NotFiniteError, function_or_none, positive_integer, real_number
from emmd.core.problem import Problem, required_problem
from emmd.theory.certificates.balls import (
    NotProved,
    above,
    below,
    precision,
    require_balls,
    shown,
)
from emmd.theory.certificates.certificate import Certificate, basin_plan, data_of, digest_of, provable_model
from emmd.theory.certificates.parts.basin import Basin
from emmd.theory.certificates.parts.guesses import FloatRows
from emmd.theory.certificates.parts.optimum import prove_optimum, require_within
from emmd.theory.certificates.parts.path import prove_entry
from emmd.theory.certificates.parts.rate import informations, prove_rate, rayleigh
from emmd.theory.certificates.plan import FloatBasin
from emmd.theory.certificates.rows import Rows
from emmd.theory.numeric.rates.reference import reference_optimum

_NARROW = 2.0**-46
"""First width of the enclosure of the rate: 64 units in the last place of 1."""

_INSIDE = 0.98
"""Share of the level at which the path ends: its own error must leave it in the basin."""


def certify(
    problem: Problem,
    theta0: ArrayLike,
    share: float = 0.75,
    max_steps: int = 10_000,
    progress: Callable | None = None,
) -> Certificate:
    """Prove in ball arithmetic that EM converges from a start on given data, and how fast.

    Parameters
    ----------
    problem : emmd.Problem
        Of `SymMoLinE` or `SymMoLogE`; weights are part of it.
    theta0 : array_like of shape (p,)
        The start; its exact floats.
    share : float
        rho = lambda_max + share (1 - lambda_max), in (0, 1): the nearer to 1, the wider the basin, and the
        slower the convergence that is proved in it.
    max_steps : int
        EM steps after which the start counts as out of reach.
    progress : callable, optional
        Called with a sentence at every stage.

    Returns
    -------
    Certificate
        Where `certified` is False, `reason` names the inequality that failed and both its sides; that says
        nothing about whether EM converges.

    Raises
    ------
    ValueError, TypeError
        For another model or bad input, and without python-flint (``pip install 'emmd[certify]'``).

    Notes
    -----
    What is proved, and why it follows, is written in `emmd.theory.certificates.parts`: `optimum`, `rate`,
    `basin` and `path`. D_A is that of `Problem.divergence`, in nats per unit of weight.
    """
    require_balls()
    name = provable_model(required_problem(problem).model)
    start = problem._check(theta0, "theta0")
    share = real_number("share", share)
    if not 0.0 < share < 1.0:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
    max_steps = positive_integer("max_steps", max_steps)
    say = function_or_none("progress", progress) or (lambda sentence: None)
    blank = Certificate(name, start, False, digest=digest_of(problem), problem=problem)
    maker = _Maker(problem, blank, share, max_steps, say)
    try:
        return maker.make()
    except NotProved as failure:
        return replace(maker.certificate, certified=False, reason=str(failure))


class _Maker:
    """The stages of a certificate, each of which adds its numbers."""

    def __init__(self, problem, blank, share, max_steps, say):
        self.problem, self.certificate = problem, blank
        self.share, self.max_steps, self.say = share, max_steps, say

    def make(self):
        """Return the certificate, or raise `NotProved` with what is known by then in `certificate`."""
        data = data_of(self.problem)
        self.floats = FloatRows(*data)
        self.say("looking for the optimum")
        self._find_optimum()
        with precision():
            self.rows = Rows(*data)
            self.say("proving the optimum and its rate")
            self._prove_optimum()
            self._prove_rate()
            self.say("proving the basin")
            self._prove_basin()
            self.say("following the path")
            self._prove_path()
        return replace(self.certificate, certified=True)

    def _add(self, **numbers):
        self.certificate = replace(self.certificate, **numbers)

    def _find_optimum(self):
        try:
            found = reference_optimum(self.problem, self.certificate.start)
        except (NotFiniteError, np.linalg.LinAlgError, ArithmeticError) as error:
            raise NotProved(f"no optimum was found: {error}") from None
        self.computed, self.doubt = found.theta, found.reason
        if not np.isfinite(found.theta).all():
            raise NotProved(f"no optimum was found: {found.reason}")
        self._add(optimum=found.theta)
        try:
            self.basin = FloatBasin(self.floats, self.computed)
        except NotProved as failure:
            raise NotProved(self._doubted(failure)) from None

    def _doubted(self, failure):
        """Return a failure with what the search for the optimum had to say, the more likely cause."""
        return f"{failure}; of the computed optimum: {self.doubt}" if self.doubt else str(failure)

    def _prove_optimum(self):
        radius, convexity = self.basin.convexity()
        if not (convexity > 0.0 and radius > 0.0):
            lowest = 1.0 - self.basin.values[-1]
            where = "on any ball around" if convexity > 0.0 else "at"
            failed = f"hess L > 0 {where} the computed optimum fails: 1 - lambda_max(M) is {lowest:.3g} there"
            raise NotProved(self._doubted(failed))
        self._add(proof=dict(zip(("whitened_radius", "convexity"), (float(radius), float(convexity)))))
        try:
            self.optimum = prove_optimum(self.rows, self.floats, self.computed, radius, convexity)
        except NotProved as failure:
            raise NotProved(self._doubted(failure)) from None
        radius, error = _down(below(self.optimum.radius)), _up(above(self.optimum.error))
        require_within(self.optimum, radius, error)
        self._add(radius=radius, error=error)

    def _prove_rate(self):
        complete, missing = informations(self.rows, self.optimum)
        quotient = rayleigh(complete, missing)
        lower, width = _down(below(quotient)), _NARROW
        while width < 1.0:
            upper = above(quotient) + width
            try:
                prove_rate(complete, missing, lower, upper)
            except NotProved:
                width *= 4.0
                continue
            self._add(rate=(lower, upper))
            return
        raise NotProved(f"lambda_max(M(theta*)) < 1 fails: it is at least {shown(quotient)}")

    def _prove_basin(self):
        upper = self.certificate.rate[1]
        rho = upper + self.share * (1.0 - upper)
        plan = self.basin.plan(rho)
        shape = {name: getattr(plan, name) for name in ("cubic", "power", "level_cubic")}
        self._add(
            basin_rate=float(rho),
            basin_radius=float(plan.radius),
            basin_level=float(plan.level),
            proof=self.certificate.proof | {name: float(value) for name, value in shape.items()},
        )
        Basin(self.rows, self.optimum, basin_plan(self.certificate)).prove()

    def _prove_path(self):
        level, theta = self.certificate.basin_level, self.certificate.start
        for steps in range(self.max_steps + 1):  # noqa: B007
            distance = self.floats.divergence(self.computed, theta)
            if distance < _INSIDE * level:
                break
            theta = self.floats.em_step(theta)
        else:
            raise NotProved(
                f"D_A(theta*, theta_T) < c fails: it is {distance:.4g} after {steps} steps, "
                f"and the basin's level is {level:.4g}"
            )
        self._add(steps=steps)
        prove_entry(
            self.rows,
            self.floats,
            self.optimum,
            self.certificate.start,
            steps,
            level,
            lambda done, total: self.say(f"following the path: step {done} of {total}"),
        )


def _down(value: float) -> float:
    return math.nextafter(value, -math.inf)


def _up(value: float) -> float:
    return math.nextafter(value, math.inf)
