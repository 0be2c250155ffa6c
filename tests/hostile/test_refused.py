"""What must be refused, and not taken for something else in silence."""

import datetime

import numpy as np
import pandas as pd
import pytest

import emmd
from emmd import theory
from emmd.core.checks import real_array
from tests.hostile import examples as ex

DAYS = pd.DataFrame({"a": pd.date_range("2020-01-01", periods=24), "b": ex.X[:, 1]})
TABLES = {
    "dates": DAYS,
    "only dates": DAYS[["a", "a"]].set_axis(["a", "b"], axis=1),
    "spans": (ex.X * 1e6).astype("timedelta64[s]"),
    "date objects": [[datetime.date(2020, 1, 1), 1.0]] * 24,
    "one name twice": pd.DataFrame(ex.X, columns=["a", "a"]),
    "text": ex.X.astype(str),
    "text as category": pd.DataFrame(ex.X.round(0)).astype(str).astype("category"),
    "missing": pd.DataFrame(ex.X).astype("Float64").mask(ex.X > 1.0),
    "complex": ex.X + 1j,
    "beyond double": [[10**400, 1.0]] * 24,
}


def fit(X=ex.X, y=ex.Y, sample_weight=None, **parameters):
    quick = {"n_init": 1, "max_iter": 3, **parameters}
    return emmd.MixtureOfExpertsRegressor(**quick).fit(X, y, sample_weight)


@pytest.mark.parametrize("take", [fit, lambda X: emmd.Problem(ex.linear(), X, ex.Y)], ids=["fit", "Problem"])
@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_other_things_than_numbers_is_refused(table, take):
    with pytest.raises((ValueError, TypeError), match=r"(?s)^X must ") as caught:
        take(X=TABLES[table])
    assert "\n" not in str(caught.value)


TARGETS = {
    "None in it": [None, *ex.Y[1:]],
    "dates": pd.Series(pd.date_range("2020-01-01", periods=24)),
    "huge": 1e160 * ex.Y,
    "tiny": 1e-170 * ex.Y,
    "text": ex.Y.astype(str),
    "one short": ex.Y[1:],
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_is_none_is_refused(target):
    with pytest.raises((ValueError, TypeError), match=r"\by must "):
        fit(y=TARGETS[target])


OTHERS = [None, ex.linear(), emmd.Problem, emmd.MixtureOfExpertsRegressor(), "problem", ex.problem().data]


@pytest.mark.parametrize("other", OTHERS, ids=[type(other).__name__ for other in OTHERS])
def test_what_is_no_problem_is_a_type_error_that_names_it(other):
    for call in (
        lambda: theory.missing_information(other, ex.THETA),
        lambda: theory.predicted_rate(other, ex.THETA),
        lambda: theory.predicted_factors(other, ex.THETA),
        lambda: theory.contraction(other, ex.THETA),
        lambda: theory.reference_optimum(other, ex.THETA),
        lambda: theory.verify(other, ex.THETA),
        lambda: theory.ball_constants(other, [0.1]),
        lambda: theory.basin_map(other, [0.1], [0.1]),
        lambda: emmd.minimize(other, ex.THETA),
    ):
        with pytest.raises(TypeError, match=r"^problem must be "):
            call()


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"fit_intercept": 2}, "fit_intercept"),
        ({"warm_start": "no"}, "warm_start"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"random_state": -1}, "random_state"),
        ({"random_state": True}, "random_state"),
        ({"verbose": None}, "verbose"),
        ({"n_init": 2**40}, "n_init"),
        ({"gate": None}, "gate"),
        ({"expert_ridge": 1e308}, "expert_ridge"),
        ({"variance": 1e-320}, "variance"),
    ],
)
def test_a_parameter_of_another_kind_is_refused(parameters, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name} must "):
        fit(**parameters)


def test_weights_are_checked_before_they_overflow():
    for weights in (np.full(24, 1e308), np.full(24, 1e-320)):
        with pytest.raises(ValueError, match=r"^sample_weight must have a sum"):
            fit(sample_weight=weights)


def test_what_needs_rows_is_a_type_error_and_an_attribute_error():
    for kind in (TypeError, AttributeError):
        with pytest.raises(kind, match="stay with their partitions"):
            ex.problem("parts").responsibilities(ex.THETA)


@pytest.mark.parametrize("largest", [1.0, 1.0 + 1e-9, float("nan"), float("inf")])
def test_eigenvalues_without_a_best_step_are_refused(largest):
    with pytest.raises(ValueError, match=r"^eigenvalues must "):
        theory.best_step([0.1, largest])


def test_an_array_that_cannot_be_written_asks_for_no_other_kernel():
    frozen = ex.point("gaussian").copy()
    frozen.flags.writeable = False
    assert real_array("theta", frozen, 1).flags.writeable
    assert real_array("theta", pd.Series(frozen), 1).flags.writeable


EXTREMES = {
    "a target with None at new rows": (
        lambda: ex.regression().predict_cdf(ex.X, [None, *ex.Y[1:]]),
        r"^y must be finite, got nan at index \(0,\)",
    ),
    "more observations than can be drawn": (
        lambda: ex.regression().bootstrap(ex.X, ex.Y, 2, sample_weight=np.full(24, 1e30), kind="parametric"),
        r"^sample_weight must add up to at most 1e\+08 observations",
    ),
    "no observation at all": (
        lambda: ex.regression().bootstrap(ex.X, ex.Y, 2, sample_weight=np.full(24, 1e-170)),
        r"^sample_weight must hold whole numbers for a bootstrap",
    ),
    "weights that leave a likelihood no digits": (
        lambda: ex.regression().profile_interval(ex.X, ex.Y, ("expert 1", "x0"), 0.9, np.full(24, 1e30)),
        r"^X, y and sample_weight must leave the likelihood digits",
    ),
    "weights beyond the range of sums": (
        lambda: ex.regression().robust_covariance(1e160 * ex.X, ex.Y),
        r"^X, y and sample_weight must give finite robust covariance|^X must ",
    ),
    "no level": (lambda: ex.regression().predict_quantile(ex.X, []), r"^q must hold at least one level"),
    "a number for a list": (
        lambda: emmd.select_experts(ex.X, ex.Y, np.array(2.0)),
        r"^n_experts must be a sequence of whole numbers",
    ),
    "a ragged range": (
        lambda: theory.prove_bound("snr_e", "symmologe", (1.0, 1.1), [1.0, [2.0]], 0.3, d=2),
        r"^snr_gate must be a rectangular array",
    ),
    "an integer that cannot be printed": (
        lambda: theory.check_bound(10**5000, "symmologe"),
        r"^the bound's expression|^expression",
    ),
    "a parameter where nothing is hidden": (
        lambda: theory.matrix_free_rate(ex.problem(), np.full(4, 1e30)),
        r"^theta must be a point where I_",
    ),
}


@pytest.mark.parametrize("case", EXTREMES)
def test_what_is_beyond_what_a_method_can_do_is_one_sentence(case):
    call, says = EXTREMES[case]
    with pytest.raises((ValueError, TypeError, ArithmeticError), match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
