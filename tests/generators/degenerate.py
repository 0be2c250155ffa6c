"""Data without a proper optimum, by what is wrong and by family, and the status that must say so."""

import numpy as np

from emmd import Status

FAMILIES = {
    "free": ("gaussian", {}),
    "shared": ("gaussian", {"variance": "shared"}),
    "known": ("gaussian", {"variance": 0.25}),
    "bernoulli": ("bernoulli", {}),
    "categorical": ("categorical", {"n_classes": 3}),
    "poisson": ("poisson", {}),
    "gamma": ("gamma", {}),
}

_RNG = np.random.default_rng(0)
FEATURES = _RNG.standard_normal((60, 2))
_FIRST = _RNG.random(60) < 0.5
_PREDICTOR = np.where(_FIRST, 1.0 + FEATURES[:, 0], -FEATURES[:, 1])


def drawn(name, u=_PREDICTOR):
    """Return ordinary targets with linear predictor u."""
    rng = np.random.default_rng(1)
    return {
        "gaussian": lambda: u + 0.3 * rng.standard_normal(len(u)),
        "bernoulli": lambda: (rng.logistic(size=len(u)) < u).astype(float),
        "categorical": lambda: np.digitize(u + rng.logistic(size=len(u)), [-1.0, 1.0]).astype(float),
        "poisson": lambda: rng.poisson(np.exp(u)).astype(float),
        "gamma": lambda: rng.gamma(5.0, np.exp(u) / 5.0),
    }[FAMILIES[name][0]]()


def _exact(name):
    u = FEATURES @ [1.0, -1.0]
    return FEATURES, np.exp(u) if name == "gamma" else u


def _separable(name):
    x = FEATURES[:, 0]
    y = {"bernoulli": x > 0, "categorical": np.digitize(x, [-0.7, 0.7]), "poisson": np.zeros(60)}[name]
    return FEATURES, y.astype(float)


def _separable_gate(name):
    """Two clusters, on opposite arms of a V: each row's expert is certain, and so is its place."""
    side = np.where(np.arange(60) < 30, -1.0, 1.0)
    X = FEATURES + 9.0 * side[:, None]
    return X, drawn(name, side * X[:, 0])


def _few_distinct_rows(name):
    y = {"bernoulli": [0, 1, 1, 0], "categorical": [0, 1, 2, 0], "poisson": [0, 3, 1, 0]}
    return np.tile(FEATURES[:4], (15, 1)), np.tile(y.get(name, [0.3, 1.7, 0.9, 2.2]), 15).astype(float)


def _identical_rows(name):
    """Thirty times one row among ordinary ones: an expert that interpolates it has no variance left."""
    y = np.append(drawn(name), np.full(30, 40.0 if name == "gamma" else 4.0))
    return np.vstack([FEATURES, np.tile([[3.0, 3.0]], (30, 1))]), y


CASES = {
    "exact fit": (_exact, dict.fromkeys(["free", "shared", "gamma"], Status.VARIANCE_COLLAPSE)),
    "identical rows": (_identical_rows, dict.fromkeys(["free", "gamma"], Status.VARIANCE_COLLAPSE)),
    "few distinct rows": (
        _few_distinct_rows,
        {
            **dict.fromkeys(["free", "shared", "gamma"], Status.VARIANCE_COLLAPSE),
            **dict.fromkeys(["bernoulli", "categorical", "poisson"], Status.DIVERGING),
        },
    ),
    "separable": (_separable, dict.fromkeys(["bernoulli", "categorical", "poisson"], Status.DIVERGING)),
    "separable gate": (
        _separable_gate,
        dict.fromkeys(["free", "shared", "known", "poisson", "gamma"], Status.DIVERGING),
    ),
}

PAIRS = [(kind, name) for kind, (_, statuses) in CASES.items() for name in statuses]


def certain(kind, X):
    """Return responsibilities that lead into the trap: those of the cluster that does the harm."""
    cluster = X[:, 0] > 2.99 if kind == "identical rows" else X[:, 0] > 0
    first = 0.001 + 0.998 * cluster
    return np.column_stack([first, 1.0 - first])


def case(kind, name):
    """Return features without intercept, target and the status to expect."""
    make, statuses = CASES[kind]
    return (*make(name), statuses[name])
