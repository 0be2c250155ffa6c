"""The missing information of population EM for K experts, by quadrature over the span of its parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import instance, positive_integer, real_array
from emmd.core.problem import Problem
from emmd.fits.pencil import pencil
from emmd.models.mixture.model import MixtureOfExperts
from emmd.theory.population.mixtures.rules import RULES

MOST_EXPERTS = 12
LARGEST_SPAN = 4
"""Dimensions over which a rule is laid: those of two simplices of three corners."""

_STEPS = {0: (0.2, 0.16), 1: (0.2, 0.16), 2: (0.22, 0.18), 3: (0.5, 0.42), 4: (0.75, 0.63)}
"""In each dimension of the span, coarse and fine."""

_REACH = 8.6
_NEGLIGIBLE = 1e-17
_ROWS = 1 << 17
_GROWTH = 1.3
"""Rows with numbers of nodes within this ratio are handled together."""


@dataclass(frozen=True, eq=False)
class MixturePopulation:
    """Eigenvalues of M = I_com^(-1) I_mis at theta for x ~ N(0, I_d).

    Attributes
    ----------
    span_eigenvalues : ndarray
        Ascending; of the parameters in the span of all coefficients and gate vectors, and of dispersions.
    orthogonal_eigenvalues : ndarray
        Ascending; those that each direction across the span has.
    dimension : int
        Of the span.
    error : float
        Of every eigenvalue: the distance between two rules.
    """

    span_eigenvalues: np.ndarray
    orthogonal_eigenvalues: np.ndarray
    dimension: int
    error: float

    def eigenvalues(self, d: int) -> np.ndarray:
        """Return all eigenvalues in d dimensions, ascending."""
        d = positive_integer("d", d, minimum=max(self.dimension, 1))
        repeated = np.tile(self.orthogonal_eigenvalues, d - self.dimension)
        return np.sort(np.concatenate([self.span_eigenvalues, repeated]))

    def rate(self, d: int) -> float:
        """Return the largest eigenvalue in d dimensions: EM's local rate."""
        return float(self.eigenvalues(d)[-1])


def mixture_population(model: MixtureOfExperts, theta: ArrayLike) -> MixturePopulation:
    """Return the spectrum of population EM of K experts at its own parameter.

    Parameters
    ----------
    model : MixtureOfExperts
        Experts and gate see all features.
    theta : array_like of shape (p,)

    Returns
    -------
    MixturePopulation

    Raises
    ------
    ValueError
        For more than 12 experts, a span of more than four dimensions, a family without a quadrature rule: of
        those there are samples only.

    Notes
    -----
    With x = (u, v), u in the span and v independent of it, both informations are E[C(u) (x) xx'] for
    matrices C(u) in the predictors: E[C(u) (x) uu'] in the span, and E[C(u)] for each direction across it.
    Both are those of one weighted sample, the nodes of the rule, on which a feature that is 1 everywhere
    stands for the directions across.
    """
    model = instance("model", model, MixtureOfExperts, "a MixtureOfExperts")
    theta = real_array("theta", theta, 1, (model.n_params,))
    if model.n_experts > MOST_EXPERTS:
        raise ValueError(f"n_experts must be at most {MOST_EXPERTS} in a population, got {model.n_experts}")
    if model.fixed or model.ridge is not None or model.gate.sparse:
        raise ValueError("model must have nothing fixed, no ridge and no sparse gate in a population")
    if model.family.name not in RULES:
        known = ", ".join(RULES)
        raise ValueError(f"family must have a quadrature rule ({known}), got {model.family.name!r}")
    basis = _span(model, theta)
    if basis.shape[1] > LARGEST_SPAN:
        raise ValueError(
            f"the span of the parameters must have at most {LARGEST_SPAN} dimensions, got {basis.shape[1]}: "
            "sample only"
        )
    small, inside = _reduced(model, theta, basis)
    coarse, fine = (_spectra(small, inside, step) for step in _STEPS[basis.shape[1]])
    # a gap that happens to be small does not make a rule exact
    error = max(float(np.abs(a - b).max()) for a, b in zip(coarse, fine)) + 64.0 * np.finfo(float).eps
    return MixturePopulation(fine[0], fine[1], basis.shape[1], error)


def _vectors(model, theta):
    named = model.unpack(theta)
    coefs = named["coef"].reshape(-1, model.n_features)
    return np.concatenate([coefs, named["gate"]]) if model.gate.sees_features else coefs


def _span(model, theta):
    """Return an orthonormal basis of the span of coefficients and gate vectors, shape (d, s)."""
    _, sizes, rows = np.linalg.svd(_vectors(model, theta), full_matrices=False)
    # the zero vector spans nothing
    return rows[sizes > 1e-12 * max(sizes.max(), 1e-300)].T


def _reduced(model, theta, basis):
    """Return the model on the span and one more feature, which nothing depends on, and its parameter."""
    named, K = model.unpack(theta), model.n_experts
    small = MixtureOfExperts(basis.shape[1] + 1, K, model.family, model.gate)

    def inside(vectors):
        reduced = vectors @ basis
        return np.concatenate([reduced, np.zeros((*reduced.shape[:-1], 1))], axis=-1)

    gate = inside(named["gate"]) if model.gate.sees_features else named["gate"]
    coef = inside(named["coef"].reshape(*model.shapes["coef"]))
    return small, small.pack(coef=coef, gate=gate, dispersion=named.get("dispersion"))


def _spectra(model, theta, step):
    """Return the eigenvalues in the span and across it, by a rule of this step."""
    informations = np.zeros((2, model.n_params, model.n_params))
    for X, y, weights in _samples(model, theta, step):
        problem = Problem(model, X, y, weights)
        informations += weights.sum() * np.array(model.informations(problem.data, theta))
    complete, missing = informations
    across = np.zeros(model.n_params, dtype=bool)
    for block in model.blocks:
        if block.features != "constant":
            across[block.entries[-1]] = True
    parts = [np.ix_(part, part) for part in (~across, across)]
    return [pencil(missing[part], complete[part])[0] for part in parts]


def _samples(model, theta, step):
    """Yield features, targets and weights of the rule's nodes, so many at a time."""
    u, mass = _grid(model.n_features - 1, step)
    X = np.column_stack([u, np.ones(len(u))])
    xi, logits = model.predictors(model._bare_designs(X), theta)
    p = np.exp(model.gate.log_probabilities(logits))
    linear = np.array(xi)[:, :, : model.family.n_linear]
    gap = (linear.max(axis=0) - linear.min(axis=0)).max(axis=1)
    for k, part in enumerate(xi):
        weights = mass * p[k]
        yield from _of_expert(model.family, X, part, gap, weights, step / _STEPS[model.n_features - 1][0])


def _of_expert(family, X, xi, gap, weights, finer):
    rule, chosen = RULES[family.name], weights > _NEGLIGIBLE
    X, xi, gap, weights = X[chosen], xi[chosen], gap[chosen], weights[chosen]
    sizes = rule.size(family, xi, gap, np.log(weights / weights.max())) / finer
    levels = np.ceil(np.log(np.maximum(sizes, 2.0)) / np.log(_GROWTH)).astype(int)
    for level in np.unique(levels):
        n = int(np.ceil(_GROWTH**level))
        rows = np.flatnonzero(levels == level)
        for some in np.array_split(rows, 1 + len(rows) * n // _ROWS):
            y, share = rule.nodes(family, xi[some], n)
            heavy = weights[some, None] * share
            kept = heavy > _NEGLIGIBLE * weights.max()
            yield np.repeat(X[some], kept.sum(axis=1), axis=0), y[kept], heavy[kept]


def _grid(s, step):
    """Return nodes (N, s) and weights (N,) of a product rule for N(0, I_s), but for those without weight."""
    half = int(np.ceil(_REACH / step))
    nodes = step * np.arange(-half, half + 1)
    weights = np.exp(-0.5 * nodes**2) * step / np.sqrt(2.0 * np.pi)
    grid, mass = np.zeros((1, 0)), np.ones(1)
    for _ in range(s):
        grid = np.column_stack([np.repeat(grid, len(nodes), axis=0), np.tile(nodes, len(grid))])
        mass = np.outer(mass, weights).ravel()
        kept = mass > _NEGLIGIBLE * mass.max()
        grid, mass = grid[kept], mass[kept]
    return grid, mass
