"""A population problem: quadrature nodes as the weighted rows of an ordinary problem."""

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from emmd.core.checks import (
    MANY,
    in_memory,
    instance,
    known_name,
    number_between,
    positive_integer,
    positive_number,
    real_array,
)
from emmd.core.discover import discover
from emmd.core.problem import Problem
from emmd.core.protocols.model import Model
from emmd.models.symmetric.model import SymmetricModel
from emmd.theory.population.landscape.frame import Frame, frame_of
from emmd.theory.population.landscape.polar import cloud
from emmd.theory.population.landscape.region import inside, region_bounds

__all__ = ["PopulationProblem", "model_and_truth", "population_problem", "symmetric_models"]

# The finer rule that measures the error is good to e^-4 = 0.02 of it.
_REFINED = 4.0
_COARSEST, _FINEST = 1e-2, 1e-13
# A region has worse parameters than its probes: by up to 3.6 among thousands that were tried.
_MARGIN = 4.0
# Radii of x at which the posterior turns for the probes with w opposed to beta.
_TURN_RADII = (2.5, 4.0, 5.0)
_DRAWN = 32


class PopulationProblem(Problem):
    """A `Problem` whose weighted rows are quadrature nodes: x ~ N(0, Sigma), y ~ p(. | x; theta*).

    Parameters
    ----------
    model : SymmetricModel
    nodes : tuple of ndarray
        X (n, d), y (n,) and weights (n,).
    frame : Frame
        Whitening, and the plane of beta* and w*.
    bounds : Bounds
        The region.
    tol : float
        Accuracy asked for.

    Attributes
    ----------
    theta_star : ndarray of shape (2d,)
        The true parameter.
    region : tuple of float
        Bounds of ||Sigma^(1/2) beta|| / sigma and ||Sigma^(1/2) w|| for which the nodes were made.
    angle : float
        Bound of the angle between Sigma^(1/2) beta and the line of Sigma^(1/2) beta*, in radians.
    error : float
        Measured accuracy of loss, gradient and Hessian in whitened coordinates; see `population_problem`.
    """

    model: SymmetricModel

    def __init__(self, model: Model, nodes: tuple, frame: Any, bounds: Any, tol: float) -> None:
        super().__init__(model, *nodes)
        self.frame, self.bounds, self.tol = frame, bounds, tol

    @property
    def theta_star(self) -> np.ndarray:
        """The true parameter, shape (2d,)."""
        return self.frame.theta_star

    @property
    def region(self) -> tuple[float, float]:
        """Bounds of the whitened norms of beta / sigma and w."""
        return self.bounds.expert, self.bounds.gate

    @property
    def angle(self) -> float:
        """Bound of the angle between the whitened beta and the line of the whitened beta*, in radians."""
        return self.bounds.angle

    def contains(self, theta: ArrayLike) -> bool:
        """Return whether theta is in the region and in the plane, where averages are accurate."""
        with np.errstate(over="ignore", invalid="ignore"):
            expert, gate, across = self.frame.project(*self.model.split(self._check(theta)))
            return inside(self.bounds, expert, gate) and across <= 1e-12 * (1.0 + sum(self.region))

    @cached_property
    def error(self) -> float:
        """Four times what a finer rule changes in loss, gradient or Hessian at the region's probes."""
        nats = -math.log(self.tol)
        # one rule at a time: each may hold millions of nodes
        coarse, fine = (_probed(self.model, self.frame, self.bounds, n) for n in (nats, nats + _REFINED))
        return _MARGIN * float(np.abs(coarse - fine).max())


def population_problem(
    model: str | SymmetricModel,
    theta_star: ArrayLike,
    region: ArrayLike | None = None,
    d: int | None = None,
    covariance: ArrayLike | None = None,
    sigma: float = 1.0,
    tol: float = 1e-8,
    max_nodes: int = 8_000_000,
    radius: ArrayLike | None = None,
    starts: ArrayLike | None = None,
) -> PopulationProblem:
    r"""Make the population problem of a symmetric model: EM, rates and claims run on it unchanged.

    Parameters
    ----------
    model : str or SymMoLinE or SymMoLogE
        A name takes `d` and `sigma` from the arguments.
    theta_star : array_like of shape (2k,)
        True parameter (beta*, w*), k <= d; zeros are appended to both up to d.
    region : float or sequence of float, optional
        Bound of ||Sigma^(1/2) beta|| / sigma and of ||Sigma^(1/2) w||, one for both or one each; a third
        number bounds the angle, in radians, between Sigma^(1/2) beta and the line of Sigma^(1/2) beta* (pi/2,
        that is everywhere, when it is left out; symmoline only). Parameters inside are resolved. By default
        sqrt(1 + SNR_e^2), beyond which no EM step of symmoline can lead (half as much again for symmologe),
        3/2 + 3/2 SNR_g, and the angle under which a ball of radius 2 around beta* is seen: everything for
        SNR_e <= 2.
    d : int, optional
        Number of features; k by default.
    covariance : array_like of shape (d, d), optional
        Sigma of the features; the identity by default.
    sigma : float
        Noise of symmoline, when `model` is a name.
    tol : float
        Accuracy asked for, between 1e-13 and 1e-2.
    max_nodes : int
    radius : float or pair of float, optional
        Instead of `region`: the balls ||Sigma^(1/2) (beta - beta*)|| / sigma <= radius and
        ||Sigma^(1/2) (w - w*)|| <= radius, one for both or one each, and their mirror images.
    starts : array_like of shape (2k,) or (m, 2k), optional
        Instead of `region`: the default region, widened until it holds these parameters, and with them all
        beta that are nearer to the line of beta*. They also choose the plane when beta* and w* are parallel.

    Returns
    -------
    PopulationProblem

    Raises
    ------
    TypeError
        For a model that is not symmetric, or a wrong type.
    ValueError
        For a wrong shape, a region that does not contain theta* or needs more than `max_nodes` nodes, or
        starts outside the plane.

    Notes
    -----
    x in the plane of beta* and w* comes in polar coordinates (`polar`), with directions gathered where
    x'beta* is of the size of the noise (`directions`). A Gaussian y comes as x'beta* + e: (x, y) and (-x, y)
    are equally likely and equal in every average that a problem forms, so only z = 1 is enumerated, with
    weight 2 P(z = 1 | x), and x changes sign with e. Labels are enumerated.

    Exact up to about `tol`, for parameters in the plane and in the region: loss, gradient, both Hessians,
    the EM map, divergences; also the law of x. `PopulationProblem.error` measures it against a finer
    rule: four times the largest change at theta*, on the region's boundary, and where w is opposed to
    beta: at random, and such that the posterior turns at targets far from zero, the worst of all. There
    Hessians were seen to err by up to seven times `tol` (beta of norm 0.01 at SNR_e = 30), elsewhere by
    `tol`, losses and gradients by a twentieth. At 2262 random parameters of 42 random problems the change
    never exceeded it; it is no bound.

    For d > 2 the other d - 2 directions have the representatives +-sqrt(d - 2) e_j: they have the moments of
    N(0, I) up to the third, hence the Hessians' orthogonal blocks and the EM map are exact in the plane.

    Not exact: anything at parameters out of the plane, where fourth and higher moments of these coordinates
    enter, and averages odd in x that involve y.

    What costs nodes is rho, the largest distance of the region's beta from the line of beta* in units of the
    noise. For x with x'beta = 0 the responsibilities turn from 0 to 1, and y is about rho there: the turn is
    1/rho^2 wide, and it has to be resolved for every beta. So nodes grow like rho^2, whatever SNR_e; SNR_e
    itself costs only its logarithm, and SNR_g its size. With SNR_g = 1, in millions: 0.4, 0.8 and 2.2 for the
    default region at SNR_e = 1, 2 and 10; 1.2 and 1.6 for radius 1 at SNR_e = 30 and 100; 1.5 and 4 for the
    whole plane at SNR_e = 3 and 5, and 0.6 at SNR_e = 8 and tol = 1e-3. It is 5 with SNR_g = 30, SNR_e = 2.
    A million nodes hold 32 MB. Beyond SNR_e = 100 losses, of the size of SNR_e^2, lose digits, and
    `error` says so. d > 2 multiplies nodes by 2 (d - 2). For symmologe they grow like the region: 4 thousand
    at SNR 1 and 0.2 million at SNR 100.

    Examples
    --------
    >>> problem = population_problem("symmologe", [3.0, 0.0, 0.5, 2.0], d=4)
    >>> bool(abs(problem.em_step(problem.theta_star) - problem.theta_star).max() < 1e-10)
    True
    """
    model, theta_star = model_and_truth(model, theta_star, d, sigma)
    starts = None if starts is None else _starts(model, starts)
    with in_memory("d", model.n_features):
        frame = frame_of(model, theta_star, covariance, () if starts is None else starts)
    tol = number_between("tol", tol, _FINEST, _COARSEST)
    max_nodes = positive_integer("max_nodes", max_nodes)
    bounds = region_bounds(model, frame, region, radius, starts)
    nodes = _nodes(model, frame, bounds, -math.log(tol), max_nodes // frame.copies)
    return PopulationProblem(model, frame.spread(*nodes), frame, bounds, tol)


def model_and_truth(model, theta_star, d, sigma) -> tuple[SymmetricModel, np.ndarray]:
    """Return the model and theta* with zeros appended; a name takes `d` and `sigma`."""
    theta_star = real_array("theta_star", theta_star, 1)
    if theta_star.size % 2:
        raise ValueError(f"theta_star must hold beta* and w*, two halves, got {theta_star.size} entries")
    k, sigma = theta_star.size // 2, positive_number("sigma", sigma)
    if isinstance(model, str):
        d = positive_integer("d", k if d is None else d, maximum=MANY)
        kind = symmetric_models()[known_name("model", model, symmetric_models())]
        model = kind(d, sigma) if kind.has_density else kind(d)
    else:
        instance("model", model, SymmetricModel, "a symmetric model or its name")
    if not k <= model.n_features:
        raise ValueError(f"d must be at least {k}, as theta_star has {2 * k} entries, got {model.n_features}")
    return model, _padded(model, theta_star)


def _padded(model, theta):
    """Append zeros to beta and w up to the model's number of features."""
    beta, w = np.split(theta, 2)
    padding = np.zeros(model.n_features - beta.size)
    return np.concatenate([beta, padding, w, padding])


def _starts(model, starts):
    starts = real_array("starts", starts, None)
    if starts.ndim not in (1, 2) or starts.shape[-1] % 2 or starts.shape[-1] > model.n_params:
        raise ValueError(
            f"starts must have shape (2k,) or (m, 2k), k at most {model.n_features} as for theta_star, "
            f"got {starts.shape}"
        )
    return [_padded(model, start) for start in np.atleast_2d(starts)]


def symmetric_models():
    """Return the classes of the symmetric models by name."""
    models = discover("emmd.models", Model, classes=True).plugins
    return {name: kind for name, kind in models.items() if issubclass(kind, SymmetricModel)}


def _nodes(model, frame: Frame, bounds, nats, max_nodes):
    """Nodes (x, y, weights) in the plane, y in the units of the target."""
    points = cloud(bounds, len(frame.plane), nats, max_nodes)
    a, b = points.x @ frame.expert, points.x @ frame.gate
    if model.has_density:
        x, y = points.x * np.sign(points.noise)[:, None], (a + points.noise) * model.sigma
        weights = 2.0 * points.weights * expit(b)
    else:
        x, y = np.concatenate([points.x, points.x]), np.repeat([1.0, -1.0], len(a))
        likely = [expit(b) * expit(y * a) + expit(-b) * expit(-y * a) for y in (1.0, -1.0)]
        weights = np.concatenate([points.weights * p for p in likely])
    # what underflows to zero cannot be a weight
    seen = weights > 0.0
    return x[seen], y[seen], weights[seen]


def _probed(model, frame, bounds, nats):
    """Loss, gradient and both informations on the probes, in whitened coordinates of the plane."""
    plane = type(model)(len(frame.plane))
    problem = Problem(plane, *_nodes(plane, frame, bounds, nats, np.inf))
    rows = []
    for theta in _probes(frame, bounds):
        loss, gradient = plane.loss_and_gradient(problem.data, theta)
        complete, missing = problem.informations(theta)
        rows.append(np.concatenate([[loss], gradient, complete.ravel(), (complete - missing).ravel()]))
    return np.array(rows)


def _probes(frame, bounds):
    """theta* and parameters on the region's boundary and half way to it, shape (p, 2k)."""
    angle = bounds.angle
    # size and direction of beta, direction of w; on a line only their signs are left
    ends = ((1.0, angle, 0.3), (1.0, -angle, 2.0), (0.5, angle, 2.0), (1.0, angle / 2, 0.3))
    k = len(frame.plane)
    corners = [
        np.concatenate([bounds.expert * size * _unit(turn)[:k], bounds.gate * _unit(gate)[:k]])
        for size, turn, gate in (ends if k == 2 else ((1.0, 0.0, 0.0), (1.0, math.pi, 0.0)))
    ]
    return [np.concatenate([frame.expert, frame.gate]), *corners, *_opposed(bounds, k), *_drawn(bounds, k)]


def _opposed(bounds, k):
    """Parameters with w opposed to beta, whose posterior turns at the mean target of some radius, (p, 2k).

    There y is far from zero, Hessians weigh it with y^2, and the turn crosses the rays of the polar rule.
    """
    if not bounds.gaussian:
        return []
    found = []
    for turn in (0.0, bounds.angle / 2) if k == 2 else (0.0,):
        for radius in _TURN_RADII:
            mean = radius * bounds.true_expert * math.cos(turn)
            norm = min(bounds.expert, bounds.gate / (2 * mean)) if mean > 0 else bounds.expert
            direction = _unit(turn)[:k]
            norm = max(norm, bounds.least)
            found.append(np.concatenate([norm * direction, -bounds.gate * direction]))
    return found


def _drawn(bounds, k):
    """Parameters of all sizes and directions with w opposed to beta, the same at every call, (p, 2k).

    What a rule leaves of a sharp turn goes up and down with the parameters, so that few probes may miss it.
    """
    if not bounds.gaussian:
        return []
    found = []
    for turn, size, gate in np.random.default_rng(0).random((_DRAWN, 3)):
        direction = _unit(bounds.angle * (2.0 * turn - 1.0))[:k]
        norm = max(bounds.expert * math.sqrt(size), bounds.least)
        found.append(np.concatenate([norm * direction, -bounds.gate * gate * direction]))
    return found


def _unit(turn):
    return np.array([math.cos(turn), math.sin(turn)])
