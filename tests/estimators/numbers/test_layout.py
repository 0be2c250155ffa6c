"""The same numbers give the same bits, whatever holds them: no sum may follow the memory."""

import numpy as np
import pandas as pd
import pytest

import emmd
from emmd.estimators.validated import positive_rows, validated

N, D = 301, 3


def data(seed=0):
    rng = np.random.default_rng(seed)
    # numbers that float32 holds, so that it can hold the same ones
    X = (rng.standard_normal((N, D)) * [2.0, 0.5, 1.0] + [1.0, 5.0, 0.0]).astype(np.float32).astype(float)
    first = rng.random(N) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 0]))
    y = np.where(first, 1.0 + X @ [1.0, 0.5, 0.2], -X @ [1.0, 1.0, 0.0]) + 0.3 * rng.standard_normal(N)
    weights = rng.integers(0, 4, N) + 0.5 * (rng.random(N) < 0.3)
    return X, y.astype(np.float32).astype(float), weights


def every_other(array):
    """Return a view with the same entries and strides of its own."""
    wide = np.full(tuple(2 * n for n in array.shape), 7.0)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def mapped(array, path):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


LAYOUTS = {
    "column by column": lambda X, y, w, path: (np.asfortranarray(X), y, w),
    "strided": lambda X, y, w, path: (every_other(X), every_other(y), every_other(w)),
    "backwards": lambda X, y, w, path: tuple(a[::-1].copy()[::-1] for a in (X, y, w)),
    "DataFrame": lambda X, y, w, path: (pd.DataFrame(X), pd.Series(y), pd.Series(w)),
    "DataFrame of one block a column": lambda X, y, w, path: (
        pd.DataFrame({str(j): every_other(X[:, j]) for j in range(D)}),
        pd.DataFrame({"y": y, "w": w})["y"],
        pd.DataFrame({"y": y, "w": w})["w"],
    ),
    "memory map": lambda X, y, w, path: (mapped(X, path / "X.npy"), mapped(y, path / "y.npy"), w),
    "float32": lambda X, y, w, path: (X.astype(np.float32), y.astype(np.float32), w.astype(np.float32)),
    "big endian": lambda X, y, w, path: tuple(a.astype(">f8") for a in (X, y, w)),
    "lists": lambda X, y, w, path: (X.tolist(), y.tolist(), w.tolist()),
}


@pytest.fixture(scope="module")
def plain():
    return fitted(*data(), *data())


def fitted(X, y, weights, X_new, y_new, _):
    fit = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(X, y, sample_weight=weights)
    named = {name: value for name, value in vars(fit).items() if isinstance(value, np.ndarray)}
    named.pop("feature_names_in_", None)
    new = {
        "predict": fit.predict(X_new),
        "gate_proba": fit.gate_proba(X_new),
        "log_density": fit.log_density(X_new, y_new),
        "bic": np.array(fit.bic(X_new, y_new)),
    }
    return named | new


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fit_does_not_depend_on_the_layout_of_its_data(layout, plain, tmp_path):
    held = LAYOUTS[layout](*data(), tmp_path)
    again = fitted(*held, *held)
    assert set(again) == set(plain)
    for name, value in plain.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_problem_does_not_depend_on_the_layout_of_its_data(layout, tmp_path):
    X, y, weights = data()
    rows = weights > 0
    X, y, weights = X[rows], y[rows], weights[rows]
    theta = np.linspace(-0.5, 0.5, 2 * D)
    results = []
    for held in ((X, y, weights), LAYOUTS[layout](X, y, weights, tmp_path)):
        problem = emmd.Problem(emmd.SymMoLinE(D), held[0], held[1], sample_weight=held[2])
        point = pd.Series(theta) if layout.startswith("Data") else theta
        results.append((problem.loss(point), *problem.gradient(point), *problem.em_step(point)))
    np.testing.assert_array_equal(results[1], results[0])


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_data_are_brought_to_one_layout_at_the_door(layout, tmp_path):
    """Whether sums over another layout differ is the processor's business; that there is none is ours."""
    held = LAYOUTS[layout](*data(), tmp_path)
    X, y = validated(emmd.MixtureOfExpertsRegressor(), *held[:2])
    kept = positive_rows(X, y, held[2])
    for array in (X, y, *kept):
        assert array.flags.c_contiguous
        assert array.dtype.isnative
    assert X.dtype == np.float64
