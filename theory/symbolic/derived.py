"""Everything that follows from the joint density: loss, posterior, exponential family, divergences.

Functions of a model alone return expressions in its symbols ``(a, b, y)``; `at` moves them to
another point.  Where a parameter is called `evidence` its true value is 1; another value tempers
the likelihood in Bayes' rule and exists to make false statements.
"""

from functools import cache
from typing import TypeVar

import sympy as sp

from emmd.theory.symbolic.normal_form import normal_form
from emmd.theory.symbolic.scalar_models import STATES, ScalarModel

Point = tuple[sp.Expr, sp.Expr]
Expression = TypeVar("Expression", bound=sp.Basic)
ONE = sp.S.One


def point(suffix: str) -> Point:
    """Return fresh real symbols ``(a_suffix, b_suffix)`` for a natural parameter."""
    a, b = sp.symbols(f"a_{suffix} b_{suffix}", real=True)
    return a, b


def at(model: ScalarModel, expr: Expression, eta: Point) -> Expression:
    """Return `expr`, an expression in the symbols of `model`, at the natural parameter `eta`."""
    return expr.xreplace(dict(zip(model.eta, eta)))


def _vector(entries: list[sp.Expr]) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix(entries)


def _gradient(model: ScalarModel, expr: sp.Expr) -> sp.ImmutableMatrix:
    return _vector([expr.diff(symbol) for symbol in model.eta])


def _hessian(model: ScalarModel, expr: sp.Expr) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix(sp.hessian(expr, model.eta))


# --- the marginal likelihood -------------------------------------------------------------------


@cache
def loss(model: ScalarModel) -> sp.Expr:
    """Negative log-likelihood ``l = -log sum_z p(y, z | x)``."""
    return -sp.log(sp.Add(*(sp.exp(model.joint(z)) for z in STATES)))


@cache
def loss_gradient(model: ScalarModel) -> sp.ImmutableMatrix:
    """Gradient of the loss in ``(a, b)``, shape (2, 1)."""
    return _gradient(model, loss(model))


@cache
def loss_hessian(model: ScalarModel) -> sp.ImmutableMatrix:
    """Hessian of the loss in ``(a, b)``, shape (2, 2)."""
    return _hessian(model, loss(model))


@cache
def log_odds(model: ScalarModel, evidence: sp.Expr = ONE) -> sp.Expr:
    """Posterior log-odds of ``z = 1``; `evidence` is the power on the likelihood (1: Bayes' rule)."""
    odds = normal_form(model.joint(1) - model.joint(-1))
    # Without expert signal the response says nothing about z and the prior odds are left.
    prior = odds.subs(model.a, 0)
    return prior + evidence * (odds - prior)


@cache
def posterior(model: ScalarModel, z: int, evidence: sp.Expr = ONE) -> sp.Expr:
    """Posterior probability ``P(z | x, y)``."""
    return 1 / (1 + sp.exp(-z * log_odds(model, evidence)))


# --- the exponential family of the complete data ------------------------------------------------


def _statistics_at(model: ScalarModel, y: sp.Expr, z: int) -> sp.ImmutableMatrix:
    """S(y, z) = grad_eta log p(y, z) - grad_eta log p(reference), which must not depend on eta."""
    reference_y, reference_z = model.reference
    gap = model.joint(z).subs(model.y, y) - model.joint(reference_z).subs(model.y, reference_y)
    result = _gradient(model, gap).applyfunc(normal_form)
    if result.free_symbols & set(model.eta):
        raise ValueError(f"{model.name}: (a, b) is not the natural parameter of an exponential family")
    return result


@cache
def statistics(model: ScalarModel, z: int) -> sp.ImmutableMatrix:
    """Sufficient statistics ``S(y, z)``, shape (2, 1).

    For a response with finitely many outcomes the entries are the polynomials in y that
    interpolate them.

    Raises
    ------
    ValueError
        If the joint is not an exponential family in ``(a, b)``.
    """
    if model.outcomes is None:
        return _statistics_at(model, model.y, z)
    values = [(y, _statistics_at(model, sp.Integer(y), z)) for y in model.outcomes]
    return _vector([sp.interpolate([(y, s[i]) for y, s in values], model.y) for i in range(2)])


@cache
def log_partition(model: ScalarModel) -> sp.Expr:
    """Mirror map ``A(a, b)``: log carrier minus log joint, where the statistics are zero."""
    y, z = model.reference
    return sp.expand((model.log_carrier - model.joint(z)).subs(model.y, y))


@cache
def mirror_gradient(model: ScalarModel) -> sp.ImmutableMatrix:
    """Gradient of the mirror map, shape (2, 1)."""
    return _gradient(model, log_partition(model))


@cache
def complete_hessian(model: ScalarModel) -> sp.ImmutableMatrix:
    """Hessian of the mirror map, the complete-data information, shape (2, 2)."""
    return _hessian(model, log_partition(model))


@cache
def posterior_statistics(model: ScalarModel, evidence: sp.Expr = ONE) -> sp.ImmutableMatrix:
    """Posterior mean ``E[S | x, y]``, shape (2, 1)."""
    terms = (statistics(model, z) * posterior(model, z, evidence) for z in STATES)
    return sum(terms, sp.ImmutableMatrix.zeros(2, 1))


@cache
def missing_information(model: ScalarModel) -> sp.ImmutableMatrix:
    """Posterior covariance ``Cov(S | x, y)``, shape (2, 2).

    Written for two states as ``P(z=1) P(z=-1) (S(1) - S(-1)) (S(1) - S(-1))'``, which loses no
    digits when the posterior is nearly certain.
    """
    first, second = STATES
    gap = statistics(model, first) - statistics(model, second)
    return posterior(model, first) * posterior(model, second) * gap * gap.T


# --- functions of two points --------------------------------------------------------------------


def inner(vector: sp.ImmutableMatrix, u: Point, v: Point) -> sp.Expr:
    """Inner product ``<vector, u - v>``."""
    return sp.Add(*(vector[i] * (u[i] - v[i]) for i in range(2)))


def surrogate(model: ScalarModel, eta: Point, eta_t: Point, evidence: sp.Expr = ONE) -> sp.Expr:
    """Expected complete loss ``Q(eta | eta_t) = -sum_z P(z | x, y; eta_t) log p(y, z | x; eta)``."""
    weights = {z: at(model, posterior(model, z, evidence), eta_t) for z in STATES}
    return -sp.Add(*(weights[z] * at(model, model.joint(z), eta) for z in STATES))


def divergence(model: ScalarModel, u: Point, v: Point) -> sp.Expr:
    """Bregman divergence ``D_A(u, v) = A(u) - A(v) - <grad A(v), u - v>``."""
    mirror = log_partition(model)
    slope = inner(at(model, mirror_gradient(model), v), u, v)
    return at(model, mirror, u) - at(model, mirror, v) - slope


def posterior_kl(model: ScalarModel, v: Point, u: Point) -> sp.Expr:
    """``KL( P_v(z | x, y) || P_u(z | x, y) )`` from its definition."""
    p_v, p_u = ({z: at(model, posterior(model, z), eta) for z in STATES} for eta in (v, u))
    return sp.Add(*(p_v[z] * sp.log(p_v[z] / p_u[z]) for z in STATES))
