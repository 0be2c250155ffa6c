"""scikit-learn's own checks, in full, and its tools around the estimators."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

import emmd

CHECKED = [
    emmd.MixtureOfExpertsRegressor(),
    emmd.MixtureOfExpertsClassifier(),
    # Poisson alone is missing: the checks' targets are not counts
    emmd.MixtureOfExpertsRegressor(family="gamma", n_init=1, max_iter=50),
    emmd.MixtureOfExpertsRegressor(
        3, variance="shared", gate="constant", fit_intercept=False, n_init=1, max_iter=50
    ),
]


# the checks fit tiny and separable data: degenerate fits that must warn, and do
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def bent(n=150, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (n, 1))
    slope = np.where(rng.random(n) < 1.0 / (1.0 + np.exp(-3.0 * X[:, 0])), 1.0, -1.0)
    return X, slope * X[:, 0] + 0.2 * rng.standard_normal(n)


def test_pipeline_grid_search_and_cross_validation():
    X, y = bent()
    model = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0, max_iter=200, tol=1e-3)
    pipeline = make_pipeline(PolynomialFeatures(1, include_bias=False), model)
    search = GridSearchCV(pipeline, {"mixtureofexpertsregressor__gate": ["softmax", "constant"]}, cv=3)
    search.fit(X, y)
    assert search.best_params_ == {"mixtureofexpertsregressor__gate": "softmax"}
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.5


def test_pickle_and_clone():
    X, y = bent()
    fit = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.predict(X), fit.predict(X))
    assert again.status_ is emmd.Status.CONVERGED
    assert not hasattr(clone(fit), "loglik_")


def test_importing_emmd_does_not_import_scikit_learn(python):
    import subprocess

    script = "import emmd, sys; print('sklearn' in sys.modules, emmd.MixtureOfExpertsRegressor.__name__)"
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "MixtureOfExpertsRegressor"]


def test_a_pipeline_is_told_what_to_save(tmp_path):
    X, y = bent()
    pipeline = make_pipeline(PolynomialFeatures(1, include_bias=False), emmd.MixtureOfExpertsRegressor(1))
    with pytest.raises(TypeError, match=r"got a Pipeline: save its last step, pipeline\[-1\]"):
        emmd.save_model(pipeline.fit(X, y), tmp_path / "model.json")
    emmd.save_model(pipeline[-1], tmp_path / "model.json")


def test_text_and_dates_are_refused_by_name_with_advice():
    X, y = bent(20)
    table = pd.DataFrame(
        {"x": X[:, 0], "site": ["a", "b"] * 10, "on": pd.date_range("2020-01-01", periods=20)}
    )
    for columns in (["x", "site"], ["on", "site"]):
        named = ", ".join(repr(name) for name in columns if name != "x")
        with pytest.raises(TypeError, match=f"got columns {named} of dtype .*OneHotEncoder"):
            emmd.MixtureOfExpertsRegressor().fit(table[columns], y)
    # numbers that pandas holds as objects are numbers
    fit = emmd.MixtureOfExpertsRegressor(1).fit(table[["x"]].astype(object), y)
    assert fit.feature_names_in_.tolist() == ["x"]


def test_missing_cells_are_refused_by_column_and_row():
    X, y = bent(60)
    table = pd.DataFrame({"x": X[:, 0], "load": X[:, 0], "never": np.nan})
    table.loc[7, "load"] = None
    for columns, row in ((["x", "load"], 7), (["x", "never"], 0)):
        with pytest.raises(ValueError, match=f"NaN in columns '{columns[1]}', first in row {row}"):
            emmd.MixtureOfExpertsRegressor(1).fit(table[columns], y)


def test_a_generator_seeds_all_that_takes_a_seed():
    X, y = bent()

    def drawn(seed):
        rng = np.random.default_rng(seed)
        fit = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=rng).fit(X, y)
        return [fit.sample(X, rng), fit.bootstrap(X, y, 2, random_state=rng).estimates.to_numpy()]

    for one, other, third in zip(drawn(0), drawn(0), drawn(1)):
        np.testing.assert_array_equal(one, other)
        assert not np.array_equal(one, third)


def test_weights_are_routed():
    X, y = bent()
    weights = np.random.default_rng(0).integers(1, 3, len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = emmd.MixtureOfExpertsRegressor(1).set_fit_request(sample_weight=True)
        routed = make_pipeline(PolynomialFeatures(1, include_bias=False), model).fit(
            X, y, sample_weight=weights
        )
    plain = emmd.MixtureOfExpertsRegressor(1).fit(X, y, weights)
    assert routed[-1].loglik_ == pytest.approx(plain.loglik_, rel=1e-12)


def crossed():
    """Return two lines that cross, one expert for all four rows of a subject, and whole weights."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 4)
    X = rng.standard_normal((80, 1))
    y = np.where(groups % 2, X[:, 0], -X[:, 0]) + 0.1 * rng.standard_normal(80)
    return X, y, groups, np.repeat(rng.integers(1, 4, 20), 4)


def test_metadata_reaches_fit_through_a_pipeline():
    X, y, groups, weights = crossed()
    model = emmd.MixtureOfExpertsRegressor(gate="constant", n_init=1, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(groups=True, sample_weight=True).set_score_request(sample_weight=True)
        routed = {"groups": groups, "sample_weight": weights}
        pipeline = make_pipeline(FunctionTransformer(), model)
        found = cross_val_score(pipeline, X, y, cv=GroupKFold(2), params=routed)
    expected = []
    for train, test in GroupKFold(2).split(X, y, groups):
        one = emmd.MixtureOfExpertsRegressor(gate="constant", n_init=1, random_state=0)
        one.fit(X[train], y[train], weights[train], groups[train])
        expected.append(one.score(X[test], y[test], weights[test]))
    np.testing.assert_array_equal(found, expected)


def test_a_generator_is_a_random_state():
    X, y, *_ = crossed()
    one, other = (
        emmd.MixtureOfExpertsRegressor(random_state=np.random.default_rng(7)).fit(X, y) for _ in range(2)
    )
    np.testing.assert_array_equal(one.coef_, other.coef_)
    draws = [fit.sample(X, np.random.default_rng(3)) for fit in (one, other)]
    np.testing.assert_array_equal(*draws)


def test_callbacks_of_scikit_learn_hear_of_every_start():
    pytest.importorskip("sklearn.callback")
    heard = []

    class Listener:
        def setup(self, estimator, context):
            heard.append("setup")

        def teardown(self, estimator, context):
            heard.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            heard.append(("begin", context.task_name, context.task_id))

        def on_fit_task_end(self, estimator, context):
            heard.append(("end", context.task_name, context.task_id))

    X, y, *_ = crossed()
    emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).set_callbacks(Listener()).fit(X, y)
    starts = [(what, "start", k) for k in (0, 1) for what in ("begin", "end")]
    assert heard == ["setup", ("begin", "fit", 0), *starts, ("end", "fit", 0), "teardown"]
