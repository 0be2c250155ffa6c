"""Rows in several partitions: the same numbers as in one, here and on a real cluster."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.algorithms.em import _extrapolated
from tests.generators.cases import NAMES, random_case

CUTS = [700, 701, 1900]


def _partitions(problem, weights):
    columns = problem.X, problem.y, weights
    return list(zip(*(np.split(column, CUTS) for column in columns)))


@pytest.fixture(params=NAMES)
def pair(request):
    """A weighted problem in one piece and in four, one of them a single row."""
    case = random_case(request.param, 2_500, 3)
    weights = np.random.default_rng(1).uniform(0.2, 3.0, 2_500)
    whole = emmd.Problem(case.problem.model, case.problem.X, case.problem.y, weights)
    return whole, emmd.PartitionedProblem(whole.model, _partitions(whole, weights)), case.theta


@pytest.mark.parametrize("what", ["loss", "gradient", "hessian", "complete_hessian", "em_step"])
def test_the_same_numbers(pair, what):
    whole, partitions, theta = pair
    expected = getattr(whole, what)(theta)
    np.testing.assert_allclose(getattr(partitions, what)(theta), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["em", "squarem", "anderson", "gradient_descent"])
def test_the_same_path(pair, method):
    whole, partitions, theta = pair
    options = {"step_size": 0.2} if method == "gradient_descent" else {}
    runs = [
        emmd.minimize(p, 0.5 * theta, method, max_iter=30, record=True, **options)
        for p in (whole, partitions)
    ]
    np.testing.assert_allclose(runs[1].trace.theta, runs[0].trace.theta, rtol=1e-10, atol=1e-10)
    assert runs[0].status == runs[1].status


def test_rates_need_only_sums(pair):
    whole, partitions, theta = pair
    optimum = emmd.minimize(whole, theta, tol=1e-13).x
    rates = [theory.predicted_rate(problem, optimum) for problem in (whole, partitions)]
    assert rates[0] == pytest.approx(rates[1], rel=1e-10)


def test_the_largest_features_are_those_of_all_partitions(pair):
    whole, partitions, _ = pair
    designs = [getattr(p.data, "designs", None) or {"expert": p.data.design} for p in (whole, partitions)]
    for name, design in designs[0].items():
        if design is not None:
            np.testing.assert_array_equal(designs[1][name].largest, np.abs(design.X).max(axis=0))
            assert designs[1][name].crest == pytest.approx(design.crest, rel=1e-12)
            assert design.crest >= 1.0


def test_partitions_without_weights_count_by_rows():
    case = random_case("symmoline", 900, 2)
    model, X, y = case.problem.model, case.problem.X, case.problem.y
    partitions = emmd.PartitionedProblem(model, [(X[:100], y[:100]), (X[100:], y[100:])])
    assert partitions.loss(case.theta) == pytest.approx(emmd.Problem(model, X, y).loss(case.theta), rel=1e-14)
    assert partitions.n_rows == 900


def test_an_e_step_elsewhere_in_between_changes_nothing(pair):
    """Labels are kept per piece; a regression on the labels of another point would be silently wrong."""
    _, partitions, theta = pair
    data, model = partitions.data, partitions.model
    working = model.unit * theta
    expected = partitions.em_step(theta)
    sums, labels = data.e_step_pass(model, working)
    data.e_step_pass(model, 3.0 * working)

    def solve(starts, found):
        return data.fit_logistics(labels, starts, found)

    image = model.m_step_from_sums(data.design, working, sums, solve)[0]
    np.testing.assert_allclose(image / model.unit, expected, rtol=1e-12)


def test_rows_stay_where_they_are(pair):
    partitions = pair[1]
    with pytest.raises(AttributeError, match="rows, which stay with their partitions"):
        partitions.responsibilities(pair[2])


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ([], ValueError, "parts must hold"),
        (
            [(np.ones((2, 1)), np.ones(2)), (np.ones((2, 1)), np.ones(2), np.ones(2))],
            ValueError,
            "for every one",
        ),
        (
            [(np.ones((2, 1)), np.ones(2)), (np.ones((2, 1)), np.array([1.0, np.nan]))],
            ValueError,
            "partition 1: y",
        ),
        ([(np.ones((2, 3)), np.ones(2))], ValueError, "partition 0: X must have shape"),
    ],
)
def test_bad_input(parts, error, message):
    with pytest.raises(error, match=message):
        emmd.PartitionedProblem(emmd.SymMoLinE(1), parts)


def test_other_models_are_refused():
    prior = emmd.ConjugatePrior(emmd.MixtureOfExperts(2, 2), 1.0, np.ones(8))
    with pytest.raises(TypeError, match="model must be"):
        emmd.PartitionedProblem(prior, [(np.ones((2, 2)), np.ones(2))])


def test_dask_arrays_on_a_cluster():
    da, distributed = pytest.importorskip("dask.array"), pytest.importorskip("distributed")
    case = random_case("symmologe", 2_500, 3)
    X, y, theta = case.problem.X, case.problem.y, case.theta
    whole = emmd.Problem(case.problem.model, X, y)
    with (
        distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        arrays = da.from_array(X, chunks=(800, 2)), da.from_array(y, chunks=500)
        partitions = emmd.PartitionedProblem.from_dask(whole.model, *arrays, client=client)
        np.testing.assert_allclose(partitions.em_step(theta), whole.em_step(theta), rtol=1e-12)
        run = emmd.minimize(partitions, theta, max_iter=5)
    np.testing.assert_allclose(run.x, emmd.minimize(whole, theta, max_iter=5).x, rtol=1e-12)


def test_a_run_on_partitions_begins_its_m_steps_where_one_on_the_whole_does(pair):
    """Each look at the data is a round trip: the warm start that saves some must reach the partitions."""
    whole, partitions, theta = pair
    path, spent = [theta], np.zeros(3)
    for step in range(12):
        past = np.diff(path[-4:], axis=0)[::-1].copy()
        start = _extrapolated(whole, path[-1], past)
        calls = (whole, start), (partitions, start), (partitions, None)
        images = [problem.model.em_step(problem.data, path[-1], led)[1] for problem, led in calls]
        spent += [image.iterations for image in images]
        for image in images[1:]:
            np.testing.assert_allclose(image.theta, images[0].theta, rtol=1e-12, err_msg=f"step {step}")
        path.append(images[0].theta)
    assert spent[0] == spent[1] < spent[2]
