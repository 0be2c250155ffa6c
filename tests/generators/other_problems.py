"""Legitimate problems of the families that hide something, of several targets, and of gates that select."""

import numpy as np

import emmd
from tests.generators.problems import FAMILIES, Drawn, features, slope, start, weights

KINDS = (
    "student_t",
    "student_t_df",
    "negative_binomial",
    "zero_inflated_poisson",
    "multivariate_gaussian",
    "top-1",
    "top-2",
    "columns",
    "offset",
)


def draw_other(seed, most_rows=5000):
    """Return the `Drawn` problem of a seed.

    Gates that select experts, experts and gate that see columns of their own, and exposures belong to them;
    features, weights and starts are those of `tests.generators.problems.draw`.
    """
    rng = np.random.default_rng([seed, 20])
    kind = KINDS[rng.integers(len(KINDS))]
    n = int(np.exp(rng.uniform(np.log(40), np.log(most_rows))))
    d = int(rng.integers(1, max(1, min(4, n // 20)) + 1))
    X, of_features = features(rng, n, d)
    w, of_weights = weights(rng, n)
    X, model, truth, said = _model(rng, kind, X)
    y = model.sample_y(truth, X, [seed, 8])
    problem = emmd.Problem(model, X, y, w)
    theta0, of_start = start(rng, problem, truth)
    words = (
        f"other seed {seed}: {kind}, n {n}, d {X.shape[1]}, {of_features}, {of_weights}, {said}, {of_start}"
    )
    return Drawn(problem, theta0, words)


def _model(rng, kind, X):
    """Return the features with what the model needs beside them, the model, its truth and a sentence."""
    family, options = kind, {}
    if kind == "student_t":
        options["df"] = [1.0, 4.0, 50.0][rng.integers(3)]
    elif kind == "multivariate_gaussian":
        options["n_targets"] = int(rng.integers(2, 4))
    elif kind.startswith("top"):
        family, options["gate"] = FAMILIES[rng.integers(len(FAMILIES))], kind
    elif kind == "columns":
        family = FAMILIES[rng.integers(len(FAMILIES))]
        X = np.column_stack([X, np.ones(len(X))]) if X.shape[1] == 1 else X
        d = X.shape[1]
        options["expert_columns"] = sorted(rng.choice(d, rng.integers(1, d + 1), replace=False).tolist())
        options["gate_columns"] = sorted(rng.choice(d, rng.integers(1, d + 1), replace=False).tolist())
    elif kind == "offset":
        family = ["poisson", "gamma", "negative_binomial"][rng.integers(3)]
        X = np.column_stack([X, rng.uniform(-2.0, 2.0, len(X))])
        options["offset_column"] = X.shape[1] - 1
    if family == "categorical":
        options["n_classes"] = 3
    K = 3 if kind.startswith("top") and rng.random() < 0.7 else 2
    model = emmd.MixtureOfExperts(X.shape[1], K, family=family, **options)
    named = _truth(rng, model, family, X)
    return X, model, model.pack(**named), f"{family}, K {K}, {options}"


def _truth(rng, model, family, X):
    """Return the named parameters: predictors of order one, scales and levels over decades."""
    shapes = model.shapes
    scale = np.sqrt((X**2).mean(axis=0)) * np.sqrt(X.shape[1])
    expert, gate = (scale[model.columns[part]] for part in ("expert", "gate"))
    counted = family in ("poisson", "gamma", "negative_binomial", "zero_inflated_poisson")
    coef = rng.standard_normal(shapes["coef"]) * slope("poisson" if counted else "gaussian", rng) / expert
    if counted:
        columns = X[:, model.columns["expert"]]
        coef = coef + rng.uniform(0.0, 6.0) * np.linalg.lstsq(columns, np.ones(len(X)), rcond=None)[0]
    named = {"coef": coef, "gate": rng.standard_normal(shapes["gate"]) * 1.5 / gate}
    size = 10.0 ** rng.uniform(-3, 3) if family.startswith(("gaussian", "student", "multi")) else 1.0
    named["coef"] = named["coef"] * size
    spread = 2.0 * np.log(size * 10.0 ** rng.uniform(-2, 0))
    if "dispersion" in shapes and np.prod(shapes["dispersion"]):
        named["dispersion"] = _dispersion(rng, family, shapes["dispersion"], spread, model)
    return named


def _dispersion(rng, family, shape, spread, model):
    if family in ("gaussian", "student_t"):
        return np.full(shape, spread)
    if family == "student_t_df":
        return np.column_stack([np.full(shape[0], spread), rng.uniform(0.0, 4.0, shape[0])])
    if family == "multivariate_gaussian":
        m = model.n_targets
        return np.column_stack(
            [np.full((shape[0], m), spread), rng.standard_normal((shape[0], shape[1] - m))]
        )
    if family == "gamma":
        return np.full(shape, rng.uniform(0.0, 9.0))
    return rng.uniform(-1.5, 4.0, shape)
