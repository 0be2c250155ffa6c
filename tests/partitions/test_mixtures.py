"""K experts on rows in pieces: the numbers, paths and statuses of one piece, here and on a cluster."""

import os
import pickle
import signal

import numpy as np
import pytest

import emmd
from emmd.estimators.starts.draw import draw_starts, start_from
from emmd.fits import glm
from emmd.models.experts.poisson import Poisson
from tests.fits.test_linked import PLAIN
from tests.generators.degenerate import FAMILIES as DEGENERATE
from tests.generators.degenerate import FEATURES, PAIRS, case, certain, drawn
from tests.models.mixture.test_model import FAMILIES, mixture
from tests.models.test_degenerate import problem_of
from tests.theory.claims.test_users_family import Binomial, NegativeBinomial

CUTS = [100, 101, 230]
"""Four pieces, one of them with fewer rows than experts."""

USERS = {"binomial": Binomial(), "negative binomial": NegativeBinomial()}
OPTIONS = {
    "plain": {},
    "constant gate": {"gate": "constant"},
    "ridge": {"expert_ridge": [0.3, 0.1, 0.0], "gate_ridge": 0.2},
    "columns": {"expert_columns": [0, 2], "gate_columns": [1, 2]},
    "fixed gate": {"fixed": ["gate"]},
    "fixed experts": {"fixed": ["coef", "dispersion"]},
}


def pieces_of(problem, cuts=CUTS, weights=None, client=None):
    weights = problem.weights if weights is None else weights
    columns = problem.X, problem.y, weights
    parts = list(zip(*(np.split(column, cuts) for column in columns)))
    return emmd.PartitionedProblem(problem.model, parts, client)


def problem_with(name, K, **options):
    """Return a weighted problem of 300 rows and 3 features, and a parameter that is no optimum."""
    family, own = FAMILIES.get(name) or (USERS.get(name) or PLAIN[name.removeprefix("plain ")], {})
    free = emmd.MixtureOfExperts(3, K, family, **own, **{k: v for k, v in options.items() if k != "fixed"})
    rng = np.random.default_rng([K, len(name)])
    spread = free.shapes["dispersion"][0]
    named = {
        "coef": 0.5 * rng.standard_normal(free.shapes["coef"]),
        "gate": rng.standard_normal(free.shapes["gate"]),
        "dispersion": rng.uniform(0.5, 1.0, spread) if spread else None,
    }
    sizes = np.array([1.0, 3.0, 1.0])
    named["coef"] = named["coef"] / sizes[free.columns["expert"]]
    if free.gate.name == "softmax":
        named["gate"] = named["gate"] / sizes[free.columns["gate"]]
    X = np.column_stack([rng.standard_normal((300, 2)), np.ones(300)]) * sizes
    y = free.sample_y(free.pack(**named), X, 1)
    fixed = {part: named[part] for part in options.pop("fixed", []) if named[part] is not None}
    model = emmd.MixtureOfExperts(3, K, family, **own, **options, fixed=fixed or None)
    return emmd.Problem(model, X, y, rng.uniform(0.5, 1.5, 300)), model.pack(**named) + 0.1


def assert_same_numbers(whole, pieces, theta):
    """All within 1e-12 of the largest entry, in units of what matters to each parameter.

    Sums over 300 rows in another order differ by about sqrt(300) eps = 4e-15 of their moduli. An M-step
    divides that by the inner curvature, `MStep.curvature`, which is at least 0.005 here: 8e-13. That itself
    is measured at Newton's last Hessian, which is kept while steps by it leave less than 0.3 of the gradient:
    so near it is to that at the end.
    """
    unit = whole.data.unit
    scales = {
        "loss": 1.0,
        "gradient": 1.0 / unit,
        "complete_hessian": 1.0 / np.outer(unit, unit),
        "missing_hessian": 1.0 / np.outer(unit, unit),
        "hessian": 1.0 / np.outer(unit, unit),
        "expected_information": 1.0 / np.outer(unit, unit),
        "em_step": unit,
    }
    steps = [problem.model.em_step(problem.data, theta)[1] for problem in (whole, pieces)]
    assert steps[1].curvature == pytest.approx(steps[0].curvature, rel=0.3)
    for what, scale in scales.items():
        expected, found = (scale * getattr(problem, what)(theta) for problem in (whole, pieces))
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max()), err_msg=what
        )


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", [*FAMILIES, *USERS, "plain gamma"])
def test_every_family(name, K):
    whole, theta = problem_with(name, K)
    assert_same_numbers(whole, pieces_of(whole), theta)


@pytest.mark.parametrize("options", [key for key in OPTIONS if key != "plain"])
@pytest.mark.parametrize(
    "name", ["free", "shared", "gamma", "categorical", "negative binomial", "plain gamma"]
)
def test_every_option(name, options):
    whole, theta = problem_with(name, 3, **OPTIONS[options])
    assert_same_numbers(whole, pieces_of(whole), theta)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_many_coefficients(monkeypatch, ridge):
    monkeypatch.setattr(glm, "LARGE", 1)
    whole, theta = problem_with("categorical", 2, expert_ridge=ridge)
    assert_same_numbers(whole, pieces_of(whole), theta)


METHODS = {
    "em": {},
    "gradient_em": {"step_size": 0.05, "inner_steps": 2},
    "gradient_descent": {"step_size": "backtracking"},
    "generalized_em": {},
    "squarem": {},
    "anderson": {},
    "over_relaxation": {},
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["free", "poisson", "gamma"])
def test_the_same_path(name, method):
    whole, theta = mixture(name, 2)
    runs = [
        emmd.minimize(p, theta + 0.1, method, max_iter=10, record=True, **METHODS[method])
        for p in (whole, pieces_of(whole))
    ]
    # an extrapolation by up to 64 residuals, squared, makes 4e3 times as much of what rounding leaves: 1e-14
    bound = 1e-10 if method in ("squarem", "anderson", "over_relaxation") else 1e-12
    moved = [run.trace.theta * whole.data.unit for run in runs]
    np.testing.assert_allclose(moved[1], moved[0], rtol=0, atol=bound * (1 + np.abs(moved[0]).max()))
    assert runs[0].status == runs[1].status
    assert runs[0].nfev == runs[1].nfev


def assert_same_status(problem, start, **options):
    one, other = (
        emmd.minimize(p, start, tol=1e-8, **options) for p in (problem, pieces_of(problem, [1, 17, 40]))
    )
    assert other.status == one.status, (one.message, other.message)
    assert np.isfinite(other.x).all()
    assert np.isfinite(other.fun)
    assert np.isfinite(other.jac).all()
    return other.status


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_degenerate_data_are_named_as_on_one_machine(kind, name):
    X, y, status = case(kind, name)
    problem = problem_of(name, X, y)
    assert assert_same_status(problem, start_from(problem, "", certain(kind, X)).theta) == status


@pytest.mark.parametrize("name", DEGENERATE)
def test_an_empty_expert_is_named(name):
    problem = problem_of(name, FEATURES, drawn(name), K=3)
    named = problem.model.unpack(draw_starts(problem, 1, 0)[0].theta)
    named["gate"] = np.array([[0.0, 0.0, -60.0], [0.0, 0.0, 0.0]])
    assert assert_same_status(problem, problem.model.pack(**named)) == emmd.Status.EMPTY_EXPERT


@pytest.mark.parametrize("name", ["free", "gamma"])
def test_a_fit_to_the_posterior_of_another_parameter_is_not_mixed_up(name):
    """Posteriors are kept per piece: one that was replaced, or that a new worker never had, is made again."""
    whole, theta = problem_with(name, 3, expert_ridge=0.1)
    pieces = pieces_of(whole)
    model, data = pieces.model, pieces.data
    expected = pieces.em_step(theta)
    responsibilities = model.e_step(data, theta).responsibilities
    pieces.em_step(theta - 0.2)
    np.testing.assert_array_equal(model.m_step(data, responsibilities, theta).theta, expected)
    slope = model.surrogate_gradient(data, responsibilities, theta)
    np.testing.assert_allclose(slope, pieces.gradient(theta), rtol=0, atol=1e-14)


class Bare(Poisson):
    """Writes its own fit, with rows in hand."""

    name = "bare"

    def fit(self, rows, start, ridge=None):
        return super().fit(rows, start + 0.0 * rows.weights.sum(), ridge)


def _mean_y(rows):
    return rows.weights @ rows.statistics[:, 0]


class Summed(Poisson):
    """Writes its own fit with sums: where all rows are zero it need not begin."""

    name = "summed"

    def fit(self, rows, start, ridge=None):
        assert rows.add_up(_mean_y) > 0
        return super().fit(rows, start, ridge)


def test_a_users_fit_runs_elsewhere_if_it_asks_for_sums():
    given, theta = mixture("poisson", 2)
    summed, bare = (
        emmd.Problem(emmd.MixtureOfExperts(2, 2, family), given.X, given.y, given.weights)
        for family in (Summed(), Bare())
    )
    assert_same_numbers(summed, pieces_of(summed), theta)
    bare.em_step(theta)
    with pytest.raises(AttributeError, match="'weights' needs the rows, which stay with their partitions"):
        pieces_of(bare).em_step(theta)


@pytest.mark.parametrize(
    "ask",
    [
        lambda problem, theta: problem.responsibilities(theta),
        lambda problem, theta: problem.m_step(np.full((300, 2), 0.5), theta),
        lambda problem, theta: problem.surrogate(np.full((300, 2), 0.5), theta),
        lambda problem, theta: problem.divergence(theta, theta),
        lambda problem, theta: problem.X,
        lambda problem, theta: emmd.minimize(problem, theta, "projected_mirror_descent"),
    ],
)
def test_rows_stay_where_they_are(ask):
    whole, theta = problem_with("free", 2)
    with pytest.raises(AttributeError, match="needs the rows, which stay with their partitions; only sums"):
        ask(pieces_of(whole), theta)


def test_what_travels_does_not_grow_with_the_rows():
    def travelled(name, n):
        whole, theta = mixture(name, 3, n=n)
        pieces = pieces_of(whole, [n // 2])
        call, sizes = pieces.data._runner.call, []

        def weighed(_, method, *arguments):
            results = call(_, method, *arguments)
            sizes.append(len(pickle.dumps((arguments, results))))
            return results

        pieces.data._runner.call = weighed
        pieces.loss(theta)
        pieces.informations(theta)
        pieces.model.em_step(pieces.data, theta)
        emmd.minimize(pieces, theta, "gradient_em", step_size=0.01, max_iter=1)
        return max(sizes)

    for name in FAMILIES:
        assert travelled(name, 300) == travelled(name, 1200)


def test_weights_count_across_partitions_and_without_them_rows_do():
    whole, theta = mixture("free", 2)
    parts = [(whole.X[:100], whole.y[:100]), (whole.X[100:], whole.y[100:])]
    even = emmd.Problem(whole.model, whole.X, whole.y)
    assert_same_numbers(even, emmd.PartitionedProblem(whole.model, parts), theta)


def test_too_few_rows_are_counted_over_all_partitions():
    model = emmd.MixtureOfExperts(1, 3)
    row = np.ones((1, 1)), np.ones(1)
    with pytest.raises(ValueError, match=r"at least as many rows as experts \(3\), got 2"):
        emmd.PartitionedProblem(model, [row, row])


def test_dask_arrays_on_a_cluster_that_loses_a_worker():
    da, distributed = pytest.importorskip("dask.array"), pytest.importorskip("distributed")
    wholes = {name: mixture(name, 3) for name in ("free", "categorical", "gamma")}
    with (
        distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        problems = {}
        for name, (whole, theta) in wholes.items():
            X = da.from_array(whole.X, chunks=(130, 1))
            columns = [da.from_array(column, chunks=90) for column in (whole.y, whole.weights)]
            problems[name] = emmd.PartitionedProblem.from_dask(whole.model, X, *columns, client=client)
            assert_same_numbers(whole, problems[name], theta)
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        for name, (whole, theta) in wholes.items():
            np.testing.assert_allclose(
                problems[name].em_step(theta), whole.em_step(theta), rtol=1e-12, atol=1e-12
            )
        whole, theta = wholes["free"]
        runs = {m: emmd.minimize(problems["free"], theta, m, max_iter=3) for m in ("em", "generalized_em")}
    for method, run in runs.items():
        expected = emmd.minimize(whole, theta, method, max_iter=3).x
        np.testing.assert_allclose(run.x, expected, rtol=1e-12, atol=1e-12)
