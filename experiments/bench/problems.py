"""The problems whose iterations are timed, each with an iterate in the middle of its path."""

from dataclasses import dataclass
from functools import cache

import numpy as np

import emmd

_BEFORE = 5


@dataclass(frozen=True)
class TimedProblem:
    """A problem and where its iterations are timed.

    Attributes
    ----------
    name : str
        E.g. ``symmoline 1e5 x 10``.
    kind : str
        ``symmoline``, ``symmologe``, or the family of K experts with, of categorical ones, the classes.
    problem : emmd.Problem
    theta : ndarray of shape (p,)
        The iterate after five EM steps from a start near the truth.
    """

    name: str
    kind: str
    problem: emmd.Problem
    theta: np.ndarray

    @property
    def n_experts(self):
        """Number of experts."""
        return getattr(self.problem.model, "n_experts", 2)

    def walk(self, steps, theta=None):
        """Return where `steps` evaluations of emmd's EM map lead."""
        theta = self.theta if theta is None else theta
        for _ in range(steps):
            theta = self.problem.em_step(theta)
        return theta


def size_name(n, d):
    """Return n x d as text, e.g. ``1e5 x 10``."""
    exponent = len(str(n)) - 1
    rows = f"1e{exponent}" if n == 10**exponent else str(n)
    return f"{rows} x {d}"


@cache
def timed_problem(kind, n, d, n_experts=2, signal=2.0):
    """Make a problem of one kind and size, features N(0, I) with a column of ones.

    Parameters
    ----------
    kind : str
    n, d : int
        Rows, and features with the column of ones.
    n_experts : int
        Of kinds that have experts.
    signal : float
        Length of each coefficient vector.
    """
    rng = np.random.default_rng([n, d, n_experts])
    X = np.column_stack([rng.standard_normal((n, d - 1)), np.ones(n)])
    model, truth = _MAKERS[kind](d, n_experts, signal, rng)
    problem = emmd.Problem(model, X, model.sample_y(truth, X, [n, d]))
    start = truth + 0.2 * rng.standard_normal(len(truth)) / np.sqrt(d)
    label = f"{kind} K={n_experts}" if isinstance(model, emmd.MixtureOfExperts) else kind
    timed = TimedProblem(f"{label} {size_name(n, d)}", kind, problem, start)
    return TimedProblem(timed.name, kind, problem, timed.walk(_BEFORE))


def _symmetric(model):
    def make(d, n_experts, signal, rng):
        return model(d), signal * np.concatenate([_direction(rng, d), _direction(rng, d)])

    return make


def _experts(family, length, **options):
    """Return a maker of K experts whose coefficients have `length` times the signal."""

    def make(d, n_experts, signal, rng):
        model = emmd.MixtureOfExperts(d, n_experts, family=family, **options)
        m, spread = model.family.n_linear, model.shapes["dispersion"]
        coef = [[length * signal * _direction(rng, d) for _ in range(m)] for _ in range(n_experts)]
        gate = signal * np.array([_direction(rng, d) for _ in range(n_experts - 1)])
        return model, model.pack(coef=coef, dispersion=np.linspace(-0.5, 0.5, *spread), gate=gate)

    return make


def _direction(rng, d):
    """Return a unit vector."""
    v = rng.standard_normal(d)
    return v / np.linalg.norm(v)


_MAKERS = {
    "symmoline": _symmetric(emmd.SymMoLinE),
    "symmologe": _symmetric(emmd.SymMoLogE),
    "gaussian": _experts("gaussian", 2.0, variance="free"),
    # with a log link the largest of 1e5 means grows with the exponential of the coefficients
    "poisson": _experts("poisson", 0.5),
    "gamma": _experts("gamma", 0.5),
    "bernoulli": _experts("bernoulli", 1.0),
    "categorical3": _experts("categorical", 1.0, n_classes=3),
    "categorical10": _experts("categorical", 1.0, n_classes=10),
}
