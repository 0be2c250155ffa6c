"""Bad input raises one clear line: which argument, what was expected, what came."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import emmd
from emmd.core.checks import real_array
from emmd.core.loop.solve import make_algorithm

NAN, INF = float("nan"), float("inf")
rng = np.random.default_rng(0)
X = rng.standard_normal((20, 2))
Y = rng.standard_normal(20)
LABELS = np.where(rng.uniform(size=20) < 0.5, -1.0, 1.0)
LINEAR, LOGISTIC = emmd.SymMoLinE(2), emmd.SymMoLogE(2)
PROBLEM = emmd.Problem(LINEAR, X, Y)
THETA = np.array([1.0, 0.5, 0.2, -0.3])
P = np.full(20, 0.5)


def put(array, index, value):
    """Return a copy with one entry replaced."""
    array = np.array(array, dtype=np.result_type(array, type(value)))
    array[index] = value
    return array


def fit(X=X, y=Y, weight=None, model=LINEAR):
    return lambda: emmd.Problem(model, X, y, sample_weight=weight)


def run(theta=THETA, problem=PROBLEM, **options):
    return lambda: emmd.minimize(problem, theta, **options)


def at(method, *args):
    return lambda: getattr(PROBLEM, method)(*args)


def model(kind, *args, **named):
    return lambda: kind(*args, **named)


BAD_DATA = [
    ("X nan", fit(X=put(X, (3, 1), NAN)), ValueError, ["X", "finite", "nan", "(3, 1)"]),
    ("X inf", fit(X=put(X, (0, 0), -INF)), ValueError, ["X", "finite", "-inf", "(0, 0)"]),
    ("X vector", fit(X=X[:, 0]), ValueError, ["X", "2 dimension", "(20,)"]),
    ("X cube", fit(X=X[None]), ValueError, ["X", "2 dimension", "(1, 20, 2)"]),
    ("X too wide", fit(X=np.ones((20, 3))), ValueError, ["X", "2", "(20, 3)"]),
    ("X no rows", fit(X=np.ones((0, 2)), y=Y[:0]), ValueError, ["X", "empty", "(0, 2)"]),
    ("X no columns", fit(X=np.ones((20, 0))), ValueError, ["X", "empty", "(20, 0)"]),
    ("X text", fit(X=X.astype(str)), TypeError, ["X", "real numbers", "<U"]),
    ("X a word", fit(X="abc"), TypeError, ["X", "real numbers"]),
    ("X complex", fit(X=X + 1j), TypeError, ["X", "real numbers", "complex128"]),
    ("X objects", fit(X=X.astype(object)), TypeError, ["X", "real numbers", "object"]),
    ("X dates", fit(X=np.zeros((20, 2), "datetime64[D]")), TypeError, ["X", "real numbers", "datetime64"]),
    ("X ragged", fit(X=[[1.0, 2.0], [3.0]]), ValueError, ["X", "rectangular", "[[1.0, 2.0], [3.0]]"]),
    ("X none", fit(X=None), TypeError, ["X", "real numbers", "None"]),
    ("X sparse", fit(X=csr_matrix(X)), TypeError, ["X", "real numbers in an array", "csr_matrix"]),
    ("X masked", fit(X=np.ma.masked_less(X, 0.0)), ValueError, ["X", "masked", f"{(X < 0).sum()} of 40"]),
    ("X too large to square", fit(X=1e200 * X), ValueError, ["X", "e+200"]),
    ("y nan", fit(y=put(Y, 5, NAN)), ValueError, ["y", "finite", "nan", "(5,)"]),
    ("y inf", fit(y=put(Y, 5, INF)), ValueError, ["y", "finite", "inf"]),
    ("y masked", fit(y=np.ma.masked_greater(Y, 1.0)), ValueError, ["y", "masked", "of 20"]),
    ("y short", fit(y=Y[:19]), ValueError, ["y", "(20,)", "(19,)"]),
    ("y long", fit(y=np.ones(21)), ValueError, ["y", "(20,)", "(21,)"]),
    ("y column", fit(y=Y[:, None]), ValueError, ["y", "1 dimension", "(20, 1)"]),
    ("y number", fit(y=1.0), ValueError, ["y", "1 dimension", "()"]),
    ("y text", fit(y=["a"] * 20), TypeError, ["y", "real numbers", "<U1"]),
    ("y complex", fit(y=Y * 1j), TypeError, ["y", "real numbers", "complex128"]),
    ("y objects", fit(y=Y.astype(object)), TypeError, ["y", "real numbers", "object"]),
    ("labels 0 and 1", fit(y=LABELS > 0, model=LOGISTIC), ValueError, ["y", "-1 and +1", "0.0"]),
    ("labels 2", fit(y=put(LABELS, 7, 2.0), model=LOGISTIC), ValueError, ["y", "-1 and +1", "2.0", "row 7"]),
    ("labels near 1", fit(y=put(LABELS, 0, 1.0 + 1e-12), model=LOGISTIC), ValueError, ["y", "-1 and +1"]),
    (
        "weights negative",
        fit(weight=put(Y**2, 4, -1.0)),
        ValueError,
        ["sample_weight", "positive", "-1.0 in row 4"],
    ),
    (
        "weights zero",
        fit(weight=put(Y**2, 4, 0.0)),
        ValueError,
        ["sample_weight", "positive", "0.0 in row 4"],
    ),
    ("weights all zero", fit(weight=np.zeros(20)), ValueError, ["sample_weight", "positive", "0.0"]),
    ("weights short", fit(weight=np.ones(19)), ValueError, ["sample_weight", "(20,)", "(19,)"]),
    ("weights table", fit(weight=np.ones((20, 1))), ValueError, ["sample_weight", "1 dimension", "(20, 1)"]),
    ("weights number", fit(weight=2.0), ValueError, ["sample_weight", "1 dimension", "()"]),
    ("weights nan", fit(weight=put(np.ones(20), 2, NAN)), ValueError, ["sample_weight", "finite", "nan"]),
    ("weights inf", fit(weight=put(np.ones(20), 2, INF)), ValueError, ["sample_weight", "finite", "inf"]),
    ("weights text", fit(weight="balanced"), TypeError, ["sample_weight", "real numbers", "<U8"]),
    ("model text", fit(model="symmoline"), TypeError, ["model", "emmd model", "'symmoline'"]),
    ("model class", fit(model=emmd.SymMoLinE), TypeError, ["model", "emmd model", "SymMoLinE"]),
]

BAD_MODELS = [
    ("sigma zero", model(emmd.SymMoLinE, 2, sigma=0.0), ValueError, ["sigma", "positive", "0.0"]),
    ("sigma negative", model(emmd.SymMoLinE, 2, sigma=-1), ValueError, ["sigma", "positive", "-1"]),
    ("sigma nan", model(emmd.SymMoLinE, 2, sigma=NAN), ValueError, ["sigma", "positive", "nan"]),
    ("sigma inf", model(emmd.SymMoLinE, 2, sigma=INF), ValueError, ["sigma", "finite", "inf"]),
    ("sigma text", model(emmd.SymMoLinE, 2, sigma="1"), TypeError, ["sigma", "positive number", "'1' (str)"]),
    (
        "sigma array",
        model(emmd.SymMoLinE, 2, sigma=np.ones(2)),
        TypeError,
        ["sigma", "positive number", "(2,)"],
    ),
    ("sigma none", model(emmd.SymMoLinE, 2, sigma=None), TypeError, ["sigma", "positive number", "None"]),
    ("features zero", model(emmd.SymMoLinE, 0), ValueError, ["n_features", "at least 1", "0"]),
    ("features negative", model(emmd.SymMoLogE, -3), ValueError, ["n_features", "at least 1", "-3"]),
    ("features 2.5", model(emmd.SymMoLogE, 2.5), TypeError, ["n_features", "integer", "2.5 (float)"]),
    ("features 2.0", model(emmd.SymMoLinE, 2.0), TypeError, ["n_features", "integer", "2.0 (float)"]),
    ("features bool", model(emmd.SymMoLinE, True), TypeError, ["n_features", "integer", "True (bool)"]),
    ("features text", model(emmd.SymMoLogE, "2"), TypeError, ["n_features", "integer", "'2' (str)"]),
    ("sample n", lambda: LINEAR.sample(THETA, 0, 1), ValueError, ["n", "at least 1", "0"]),
    ("sample theta", lambda: LINEAR.sample(THETA[:3], 9, 1), ValueError, ["theta", "(4,)", "(3,)"]),
    ("sample_y X", lambda: LINEAR.sample_y(THETA, X[:, :1], 1), ValueError, ["X", "2", "(20, 1)"]),
    ("equivalents", lambda: LOGISTIC.equivalents(THETA[:1]), ValueError, ["theta", "(4,)", "(1,)"]),
]

BAD_POINTS = [
    (f"{method} {what}", at(method, theta), error, ["theta", *words])
    for method in (
        "loss",
        "gradient",
        "hessian",
        "complete_hessian",
        "missing_hessian",
        "responsibilities",
        "em_step",
        "mirror_map",
        "mirror_gradient",
    )
    for what, theta, error, words in (
        ("short", THETA[:3], ValueError, ["(4,)", "(3,)"]),
        ("nan", put(THETA, 1, NAN), ValueError, ["finite", "nan", "(1,)"]),
        ("text", "start", TypeError, ["real numbers", "<U5"]),
    )
]

BAD_PAIRS = [
    ("divergence u", at("divergence", THETA[:2], THETA), ValueError, ["u", "(4,)", "(2,)"]),
    ("divergence v", at("divergence", THETA, THETA * NAN), ValueError, ["v", "finite", "nan"]),
    ("posterior u", at("posterior_divergence", None, THETA), TypeError, ["u", "real numbers"]),
    ("posterior v", at("posterior_divergence", THETA, [[1.0]]), ValueError, ["v", "1 dimension", "(1, 1)"]),
    ("distance theta", at("distance", THETA[:2], THETA), ValueError, ["theta", "(4,)", "(2,)"]),
    ("distance reference", at("distance", THETA, THETA[:2]), ValueError, ["reference", "(4,)", "(2,)"]),
    ("m_step p", at("m_step", P[:9], THETA), ValueError, ["responsibilities", "(20,)", "(9,)"]),
    ("m_step p nan", at("m_step", P * NAN, THETA), ValueError, ["responsibilities", "finite", "nan"]),
    ("m_step p 2", at("m_step", put(P, 3, 2.0), THETA), ValueError, ["responsibilities", "0", "1", "2.0"]),
    ("m_step p -1", at("m_step", put(P, 3, -0.1), THETA), ValueError, ["responsibilities", "0", "1", "-0.1"]),
    ("m_step start", at("m_step", P, THETA[:1]), ValueError, ["start", "(4,)", "(1,)"]),
    ("inverse dual", at("mirror_inverse", THETA[:1], THETA), ValueError, ["dual", "(4,)", "(1,)"]),
    ("inverse start", at("mirror_inverse", THETA, THETA + INF), ValueError, ["start", "finite", "inf"]),
]

BAD_RUNS = [
    ("problem model", run(problem=LINEAR), TypeError, ["problem", "emmd.Problem", "SymMoLinE"]),
    ("problem tuple", run(problem=(X, Y)), TypeError, ["problem", "emmd.Problem", "(tuple)"]),
    ("theta0 short", run(THETA[:3]), ValueError, ["theta0", "(4,)", "(3,)"]),
    ("theta0 nan", run(THETA * NAN), ValueError, ["theta0", "finite", "nan"]),
    ("theta0 none", run(None), TypeError, ["theta0", "real numbers"]),
    ("tol zero", run(tol=0), ValueError, ["tol", "positive", "0"]),
    ("tol negative", run(tol=-1e-9), ValueError, ["tol", "positive", "-1e-09"]),
    ("tol nan", run(tol=NAN), ValueError, ["tol", "positive", "nan"]),
    ("tol text", run(tol="small"), TypeError, ["tol", "positive number", "'small' (str)"]),
    ("max_iter zero", run(max_iter=0), ValueError, ["max_iter", "at least 1", "0"]),
    ("max_iter float", run(max_iter=1e3), TypeError, ["max_iter", "integer", "1000.0 (float)"]),
    ("max_iter bool", run(max_iter=True), TypeError, ["max_iter", "integer", "True (bool)"]),
    ("callback", run(callback=3), TypeError, ["callback", "callable", "3 (int)"]),
    (
        "method unknown",
        run(method="mirror"),
        ValueError,
        ["method", "'mirror'", "did you mean 'mirror_descent'"],
    ),
    ("method case", run(method="EM"), ValueError, ["method", "'EM'", "em, "]),
    ("method typo", run(method="squareem"), ValueError, ["method", "did you mean 'squarem'?"]),
    ("method far", run(method="zzzz"), ValueError, ["method", "'zzzz'", "anderson", "squarem"]),
    ("method number", run(method=3), TypeError, ["method", "name", "3 (int)"]),
    ("method class", run(method=type(make_algorithm("em"))), TypeError, ["method", "Algorithm", "EM"]),
    ("option unknown", run(momentum=0.9), ValueError, ["momentum", "'em'", "0.9"]),
    ("inner_steps of em", run(inner_steps=2), ValueError, ["inner_steps", "'em'", "no options", "2"]),
    ("step_size of em", run(step_size=0.5), ValueError, ["step_size", "'em'", "0.5"]),
    (
        "step_size of squarem",
        run(method="squarem", step_size=2.0),
        ValueError,
        ["step_size", "'squarem'", "base"],
    ),
    (
        "inner_steps of mirror_descent",
        run(method="mirror_descent", inner_steps=2),
        ValueError,
        ["inner_steps", "'mirror_descent'", "step_size", "2"],
    ),
    ("step_size array of em", run(step_size=np.ones(2)), (TypeError, ValueError), ["step_size", "'em'"]),
    ("window", run(method="anderson", window=0), ValueError, ["window", "at least 1", "0"]),
    ("step_max", run(method="anderson", step_max=0.5), ValueError, ["step_max", "at least 1", "0.5"]),
    ("step_max text", run(method="squarem", step_max="1"), TypeError, ["step_max", "number", "'1'"]),
    (
        "relaxation",
        run(method="over_relaxation", relaxation="best"),
        ValueError,
        ["relaxation", "'optimal'", "'best'"],
    ),
    ("relaxation 0", run(method="over_relaxation", relaxation=0), ValueError, ["relaxation", "0"]),
    (
        "base of anderson",
        run(method="anderson", base="over_relaxation"),
        ValueError,
        ["base", "fixed-point", "OverRelaxation"],
    ),
    ("base", run(method="squarem", base="newton"), ValueError, ["base", "'newton'", "em"]),
    (
        "base of squarem",
        run(method="squarem", base="squarem"),
        ValueError,
        ["base", "fixed-point", "Squarem"],
    ),
    (
        "options beside an object",
        run(method=make_algorithm("gradient_em"), inner_steps=5),
        ValueError,
        ["inner_steps", "5"],
    ),
    (
        "step_size beside an object",
        run(method=make_algorithm("mirror_descent"), step_size=0.5),
        ValueError,
        ["step_size", "0.5"],
    ),
]

BAD_STEPS = [
    (f"{method} {step!r}", run(method=method, step_size=step), error, ["step_size", *words])
    for method in ("mirror_descent", "gradient_em", "gradient_descent")
    for step, error, words in (
        (0, ValueError, ["positive", "0"]),
        (-0.5, ValueError, ["positive", "-0.5"]),
        (NAN, ValueError, ["positive", "nan"]),
        (INF, ValueError, ["finite", "inf"]),
        ("fast", (ValueError, TypeError), ["positive number", "'fast'"]),
        (None, TypeError, ["positive number", "None"]),
        (np.ones(2), TypeError, ["positive number", "(2,)"]),
        (True, TypeError, ["positive number", "True (bool)"]),
    )
]

BAD_COUNTS = [
    (f"inner_steps {count!r}", run(method="gradient_em", inner_steps=count), error, ["inner_steps", *words])
    for count, error, words in (
        (0, ValueError, ["at least 1", "0"]),
        (1.0, TypeError, ["integer", "1.0 (float)"]),
        (True, TypeError, ["integer", "True (bool)"]),
        ("2", TypeError, ["integer", "'2' (str)"]),
    )
]

TABLE = BAD_DATA + BAD_MODELS + BAD_POINTS + BAD_PAIRS + BAD_RUNS + BAD_STEPS + BAD_COUNTS


@pytest.mark.parametrize(
    ("call", "error", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_one_clear_line(call, error, words):
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 250
    missing = [word for word in words if word not in message]
    assert not missing, message
    # first the argument, at last what came
    assert message.split()[0] == words[0], message
    assert " got " in message


@pytest.mark.parametrize(
    "good",
    [
        fit(X=X.tolist(), y=Y.tolist()),
        fit(X=np.asfortranarray(X)),
        fit(X=X[::2], y=Y[::2]),
        fit(X=X.astype(np.float32), y=Y.astype(np.float32)),
        fit(X=(10 * X).astype(int), y=(10 * Y).astype(int)),
        fit(y=LABELS.astype(int), model=LOGISTIC),
        fit(weight=list(range(1, 21))),
        fit(model=emmd.SymMoLinE(np.int64(2), sigma=np.float32(2.0))),
        run(THETA.tolist(), max_iter=np.int32(3), tol=np.float32(1e-3)),
        run(method="gradient_descent", step_size=1, max_iter=2),
    ],
)
def test_harmless_variations_are_taken(good):
    good()


def test_read_only_data_are_taken():
    frozen = [array.copy() for array in (X, Y, THETA)]
    for array in frozen:
        array.flags.writeable = False
    result = emmd.minimize(emmd.Problem(LINEAR, frozen[0], frozen[1]), frozen[2], max_iter=3)
    assert result.nit == 3


@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e307, 1.7e308])
def test_only_the_ratios_of_weights_matter(factor):
    weight = np.linspace(0.1, 1.0, 20)
    problem = emmd.Problem(LINEAR, X, Y, sample_weight=factor * weight)
    np.testing.assert_allclose(problem.weights, weight / weight.sum(), rtol=1e-14)


@pytest.mark.parametrize(("n", "d"), [(20, 2), (20, 1), (1, 2)])
@pytest.mark.parametrize("kind", [emmd.SymMoLinE, emmd.SymMoLogE])
def test_a_problem_keeps_its_own_copy_of_the_data(n, d, kind):
    data = [X[:n, :d].copy(), LABELS[:n].copy(), np.ones(n)]
    problem = emmd.Problem(kind(d), *data)
    before = problem.loss(np.ones(2 * d))
    for array in data:
        array *= -3.0
    assert problem.loss(np.ones(2 * d)) == before


@pytest.mark.parametrize("value", [2.5, np.float64(2.5), np.array(2.5)])
def test_a_scalar_is_an_array_without_dimensions(value):
    assert real_array("cosine", value, 0) == 2.5
    with pytest.raises(ValueError, match="cosine must be finite"):
        real_array("cosine", value * np.nan, 0)


def test_a_column_called_mask_and_a_mask_that_hides_nothing_are_no_masked_entries():
    table = pd.DataFrame({"_mask": X[:, 0] > 0, "b": X[:, 1]})
    np.testing.assert_array_equal(real_array("X", table.astype(float), 2), table.to_numpy(float))
    np.testing.assert_array_equal(real_array("X", np.ma.array(X), 2), X)
