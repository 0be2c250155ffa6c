"""Legitimate problems of every kind, drawn by a seed: what anyone's data may look like."""

from dataclasses import dataclass

import numpy as np

import emmd

FAMILIES = ("gaussian", "bernoulli", "categorical", "poisson", "gamma")
KINDS = ("symmoline", "symmologe", *FAMILIES)


@dataclass(frozen=True)
class Drawn:
    """A problem with a start, and what was drawn.

    Attributes
    ----------
    problem : emmd.Problem
    theta0 : ndarray of shape (p,)
    says : str
        How the problem was drawn, for a failing test's message.
    """

    problem: emmd.Problem
    theta0: np.ndarray
    says: str


def draw(seed, most_rows=5000):
    """Return the `Drawn` problem of a seed.

    Features are normal, heavy-tailed, binary, correlated, scaled over decades or hold one leverage point;
    weights are uniform, whole numbers, heavy-tailed or nearly zero; noise, counts and shapes go over
    decades; starts are near, far, at random.
    """
    rng = np.random.default_rng([seed, 19])
    kind = KINDS[rng.integers(len(KINDS))]
    n = int(np.exp(rng.uniform(np.log(20), np.log(most_rows))))
    most = max(1, min(15 if kind.startswith("sym") else 5, n // 12))
    d = int(rng.integers(1, most + 1))
    X, of_features = features(rng, n, d)
    w, of_weights = weights(rng, n)
    make = _symmetric if kind.startswith("sym") else _experts
    model, truth, said = make(rng, kind, X)
    y = model.sample_y(truth, X, [seed, 7])
    problem = emmd.Problem(model, X, y, w)
    theta0, of_start = start(rng, problem, truth)
    words = f"seed {seed}: {kind}, n {n}, d {X.shape[1]}, {of_features}, {of_weights}, {said}, {of_start}"
    return Drawn(problem, theta0, words)


def features(rng, n, d):
    kind = rng.choice(["normal", "t3", "binary", "correlated", "scaled", "leverage", "constant"])
    X = rng.standard_normal((n, d))
    if kind == "t3":
        X = rng.standard_t(3, (n, d))
    elif kind == "binary":
        X = (rng.random((n, d)) < rng.uniform(0.2, 0.8, d)).astype(float)
    elif kind == "correlated":
        X = X @ (np.eye(d) + rng.uniform(0, 2) * np.ones((d, d)))
    elif kind == "scaled":
        X = X * 10.0 ** rng.uniform(-3, 3, d)
    elif kind == "leverage":
        X[rng.integers(n), rng.integers(d)] = 100.0
    elif kind == "constant":
        X[:, 0] = 1.0
    if kind != "constant" and rng.random() < 0.5:
        X = np.column_stack([X, np.ones(n)])
    return X, kind


def weights(rng, n):
    kind = rng.choice(["uniform", "whole", "heavy", "nearly zero"], p=[0.5, 0.2, 0.15, 0.15])
    if kind == "whole":
        return rng.integers(1, 6, n).astype(float), kind
    if kind == "heavy":
        return rng.pareto(1.5, n) + 0.1, kind
    if kind == "nearly zero":
        weights = np.ones(n)
        weights[rng.random(n) < 0.1] = 1e-12
        return weights, kind
    return None, kind


def _size(X):
    return np.sqrt((X**2).mean(axis=0))


def _symmetric(rng, kind, X):
    d = X.shape[1]
    expert, gate = (rng.standard_normal(d) for _ in range(2))
    snrs = np.exp(rng.uniform(np.log(0.5), np.log(6.0), 2))
    expert *= snrs[0] / np.linalg.norm(expert) / _size(X)
    gate *= snrs[1] / np.linalg.norm(gate) / _size(X)
    if kind == "symmologe":
        return emmd.SymMoLogE(d), np.concatenate([expert, gate]), "SNR {:.2g}/{:.2g}".format(*snrs)
    sigma = 10.0 ** rng.uniform(-3, 2)
    said = "SNR {:.2g}/{:.2g}, sigma {:.2g}".format(*snrs, sigma)
    return emmd.SymMoLinE(d, sigma=sigma), np.concatenate([sigma * expert, gate]), said


def _experts(rng, kind, X):
    n, d = X.shape
    K = int(rng.integers(2, 4)) if n >= 200 else 2
    options = {}
    if kind == "gaussian":
        options["variance"] = ["free", "shared", 1.0][rng.integers(3)]
    if kind == "categorical":
        options["n_classes"] = 3
    gate = "constant" if rng.random() < 0.2 else "softmax"
    ridge = {"expert_ridge": 0.1} if rng.random() < 0.15 else {}
    if ridge and gate == "softmax":
        ridge["gate_ridge"] = 0.05
    model = emmd.MixtureOfExperts(d, K, family=kind, gate=gate, **ridge, **options)
    scale = _size(X) * np.sqrt(d)
    shapes = model.shapes
    named, said = {}, ""
    named["coef"] = rng.standard_normal(shapes["coef"]) * slope(kind, rng) / scale
    if kind in ("poisson", "gamma"):
        # a level for all rows, through whatever the columns offer
        level = rng.uniform(0.0, 11.0)
        named["coef"] = named["coef"] + level * np.linalg.lstsq(X, np.ones(n), rcond=None)[0]
        said = f"level e^{level:.1f}"
    if kind == "gaussian":
        size = 10.0 ** rng.uniform(-3, 3)
        named["coef"] = size * named["coef"]
        said = f"size {size:.1g}"
        if options["variance"] == 1.0:
            options["variance"] = (0.3 * size) ** 2
            model = emmd.MixtureOfExperts(d, K, family=kind, gate=gate, **ridge, **options)
    if len(named) and "dispersion" in shapes and np.prod(shapes["dispersion"]):
        if kind == "gaussian":
            named["dispersion"] = np.log((size * 10.0 ** rng.uniform(-2, 0)) ** 2) + np.zeros(
                shapes["dispersion"]
            )
        else:
            shape = 10.0 ** rng.uniform(0, 4)
            named["dispersion"] = np.log(shape) + np.zeros(shapes["dispersion"])
            said += f", shape {shape:.2g}"
    gate_shape = shapes["gate"]
    named["gate"] = rng.standard_normal(gate_shape) * (1.0 if gate == "constant" else 1.5 / scale)
    theta = model.pack(**named)
    return model, theta, f"K {K}, gate {gate}, {said}{', ridge' if ridge else ''}"


def slope(kind, rng):
    return {"bernoulli": 3.0, "categorical": 3.0, "gaussian": 3.0, "poisson": 0.5, "gamma": 0.5}[
        kind
    ] * rng.uniform(0.5, 1.5)


def start(rng, problem, truth):
    kind = rng.choice(["near", "far", "random"], p=[0.5, 0.25, 0.25])
    unit = problem.model.parameter_scale(problem.data)
    noise = rng.standard_normal(len(truth)) / (unit * np.sqrt(problem.model.parameter_width()))
    if kind == "near":
        return truth + 0.1 * noise, kind
    if kind == "far":
        return truth + 1.0 * noise, kind
    if problem.model.responsibility_columns is None:
        return truth + 2.0 * noise, kind
    levels = problem.m_step(
        np.full((problem.n_rows, *problem.model.responsibility_columns), 1.0 / _columns(problem)), truth
    ).theta
    return levels + 0.5 * noise, kind


def _columns(problem):
    columns = problem.model.responsibility_columns
    return columns[0] if columns else 2
