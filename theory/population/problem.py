"""A population problem: quadrature nodes as the weighted rows of an ordinary problem."""

import math
from functools import cached_property

import numpy as np
from scipy.special import expit

from emmd.core.checks import describe, known_name, positive_integer, positive_number, real_array
from emmd.core.discover import discover
from emmd.core.model import Model
from emmd.core.problem import Problem
from emmd.core.symmetric import SymmetricModel
from theory.population.frame import Frame, frame_of
from theory.population.polar import Bounds, cloud

__all__ = ["PopulationProblem", "population_problem", "symmetric_models"]

# The finer rule that measures the error is good to e^-6 = 0.0025 of it.
_REFINED = 6.0
_COARSEST, _FINEST = 1e-2, 1e-13


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
    error : float
        Measured accuracy of loss, gradient and Hessian in whitened coordinates; see `population_problem`.
    """

    model: SymmetricModel

    def __init__(self, model, nodes, frame, bounds, tol):
        super().__init__(model, *nodes)
        self.frame, self.bounds, self.tol = frame, bounds, tol

    @property
    def theta_star(self):
        """The true parameter, shape (2d,)."""
        return self.frame.theta_star

    @property
    def region(self):
        """Bounds of the whitened norms of beta / sigma and w."""
        return self.bounds.expert, self.bounds.gate

    def contains(self, theta):
        """Return whether theta is in the region and in the plane, where averages are accurate."""
        expert, gate, across = self.frame.project(*self.model.split(self._check(theta)))
        norms = np.linalg.norm(expert), np.linalg.norm(gate)
        inside = norms[0] <= self.bounds.expert and norms[1] <= self.bounds.gate
        return bool(inside and across <= 1e-12 * (1.0 + sum(self.region)))

    @cached_property
    def error(self):
        """Largest change of loss, gradient or Hessian on the region's probes under a finer rule."""
        nats = -math.log(self.tol)
        coarse, fine = (_in_plane(self.model, self.frame, self.bounds, n) for n in (nats, nats + _REFINED))
        return max(_distance(coarse, fine, theta) for theta in _probes(self.frame, self.bounds))


def population_problem(
    model, theta_star, region=None, d=None, covariance=None, sigma=1.0, tol=1e-8, max_nodes=2_000_000
):
    r"""Make the population problem of a symmetric model: EM, rates and claims run on it unchanged.

    Parameters
    ----------
    model : str or SymMoLinE or SymMoLogE
        A name takes `d` and `sigma` from the arguments.
    theta_star : array_like of shape (2k,)
        True parameter (beta*, w*), k <= d; zeros are appended to both up to d.
    region : float or pair of float, optional
        Bound of ||Sigma^(1/2) beta|| / sigma and of ||Sigma^(1/2) w||, one for both or one each; parameters
        inside are resolved. By default sqrt(1 + SNR_e^2), beyond which no EM step of symmoline can lead
        (half as much again for symmologe), and 3/2 + 3/2 SNR_g.
    d : int, optional
        Number of features; k by default.
    covariance : array_like of shape (d, d), optional
        Sigma of the features; the identity by default.
    sigma : float
        Noise of symmoline, when `model` is a name.
    tol : float
        Accuracy asked for, between 1e-13 and 1e-2.
    max_nodes : int

    Returns
    -------
    PopulationProblem

    Raises
    ------
    TypeError
        For a model that is not symmetric, or a wrong type.
    ValueError
        For a wrong shape, a region that does not contain theta* or needs more than `max_nodes` nodes.

    Notes
    -----
    x in the plane of beta* and w* comes in polar coordinates (`polar`). A Gaussian y comes as x'beta* + e:
    (x, y) and (-x, y) are equally likely and equal in every average that a problem forms, so only z = 1 is
    enumerated, with weight 2 P(z = 1 | x), and x changes sign with e. Labels are enumerated.

    Exact up to about `tol`, for parameters in the plane and in the region: loss, gradient, both Hessians, the
    EM map, divergences; also the law of x. `PopulationProblem.error` measures it against a finer rule, at
    theta* and on the region's boundary, where it is worst: up to three times `tol` was seen. For d > 2 the
    other d - 2 directions have the representatives +-sqrt(d - 2) e_j: they have the moments of N(0, I) up to
    the third, hence the Hessians' orthogonal blocks and the EM map are exact in the plane. Not exact:
    anything at parameters out of the plane, where fourth and higher moments of these coordinates enter, and
    averages odd in x that involve y.

    Nodes grow like the square of the region for symmoline: with the default region and SNR_g = 1, SNR_e = 1
    and 2 need 0.3 and 1.5 million at 1e-8, SNR_e = 3 needs 1.9 million at 1e-6 and SNR_e = 4 needs 1.4
    million at 1e-4; that is the domain. For symmologe they grow like the region: 4 thousand at SNR 1 and 150
    thousand at SNR 100. d > 2 multiplies them by 2 (d - 2).

    Examples
    --------
    >>> problem = population_problem("symmologe", [3.0, 0.0, 0.5, 2.0], d=4)
    >>> bool(abs(problem.em_step(problem.theta_star) - problem.theta_star).max() < 1e-10)
    True
    """
    model, theta_star = _model_and_truth(model, theta_star, d, sigma)
    frame = frame_of(model, theta_star, covariance)
    tol = positive_number("tol", tol)
    if not _FINEST <= tol <= _COARSEST:
        raise ValueError(f"tol must be between {_FINEST:g} and {_COARSEST:g}, got {tol!r}")
    max_nodes = positive_integer("max_nodes", max_nodes)
    bounds = _bounds(model, frame, region)
    nodes = _nodes(model, frame, bounds, -math.log(tol), max_nodes // frame.copies)
    return PopulationProblem(model, frame.spread(*nodes), frame, bounds, tol)


def _model_and_truth(model, theta_star, d, sigma):
    theta_star = real_array("theta_star", theta_star, 1)
    if theta_star.size % 2:
        raise ValueError(f"theta_star must hold beta* and w*, two halves, got {theta_star.size} entries")
    k = theta_star.size // 2
    if isinstance(model, str):
        d = positive_integer("d", k if d is None else d)
        kind = symmetric_models()[known_name("model", model, symmetric_models())]
        model = kind(d, sigma) if kind.has_density else kind(d)
    elif not isinstance(model, SymmetricModel):
        raise TypeError(f"model must be a symmetric model or its name, got {describe(model)}")
    if not k <= model.n_features:
        raise ValueError(f"d must be at least {k}, as theta_star has {2 * k} entries, got {model.n_features}")
    padding = np.zeros(model.n_features - k)
    return model, np.concatenate([theta_star[:k], padding, theta_star[k:], padding])


def symmetric_models():
    """Return the classes of the symmetric models by name."""
    models = discover("emmd.models", Model).plugins
    return {name: kind for name, kind in models.items() if issubclass(kind, SymmetricModel)}


def _bounds(model, frame, region):
    true_expert, true_gate = float(np.linalg.norm(frame.expert)), float(np.linalg.norm(frame.gate))
    if region is not None:
        expert, gate = _pair(region)
    elif model.has_density:
        expert, gate = math.hypot(1.0, true_expert), 1.5 + 1.5 * true_gate
    else:
        # the swap of beta and w is a symmetry, so the region has it too
        expert = gate = 1.5 + 1.5 * max(true_expert, true_gate)
    if expert < true_expert or gate < true_gate:
        raise ValueError(
            f"region must contain theta*, whose norms are {true_expert:.6g} and {true_gate:.6g}, "
            f"got {expert:.6g} and {gate:.6g}"
        )
    return Bounds(expert, gate, true_expert, true_gate, model.has_density)


def _pair(region):
    values = real_array("region", region, np.ndim(region)).ravel()
    if values.size > 2:
        raise ValueError(f"region must be one bound or two, got {values.size}")
    return [positive_number("region", float(value)) for value in np.broadcast_to(values, 2)]


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


def _in_plane(model, frame, bounds, nats):
    """The same problem in whitened coordinates of the plane, without an upper bound of nodes."""
    plane = type(model)(len(frame.plane))
    nodes = _nodes(plane, frame, bounds, nats, np.inf)
    return Problem(plane, *nodes)


def _probes(frame, bounds):
    """theta* and parameters on the region's boundary, along and across beta* and w*, shape (p, 2k)."""
    line = np.eye(len(frame.plane))
    corners = [
        np.concatenate([bounds.expert * sign * first, bounds.gate * second])
        for first in line
        for second in line
        for sign in (1.0, -1.0)
    ]
    return [np.concatenate([frame.expert, frame.gate]), *corners]


def _distance(coarse, fine, theta):
    pairs = (
        (coarse.loss(theta), fine.loss(theta)),
        (coarse.gradient(theta), fine.gradient(theta)),
        (coarse.hessian(theta), fine.hessian(theta)),
        (coarse.complete_hessian(theta), fine.complete_hessian(theta)),
    )
    return float(max(np.abs(np.subtract(one, other)).max() for one, other in pairs))
