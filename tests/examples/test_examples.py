"""The examples do what they say, in at most forty lines each."""

import ast
from pathlib import Path

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.core.discover import import_file
from emmd.data.snr import snr_parameters

FOLDER = Path(__file__).parents[2] / "examples"
FILES = sorted(FOLDER.glob("*.py"))


def example(name):
    return import_file(FOLDER / f"{name}.py")


@pytest.fixture(scope="module")
def linear():
    model, truth = emmd.SymMoLinE(3), snr_parameters(3, 2.0, 1.0, 0.3)
    X, y, _ = model.sample(truth, 500, 0)
    return emmd.Problem(model, X, y), truth + 0.2


@pytest.fixture(scope="module")
def binomial():
    model = emmd.MixtureOfExperts(2, 2, family=example("family").Binomial(5))
    truth = model.pack([[2.0, 0.5], [-2.0, 0.0]], [[1.5, 0.3]])
    X = np.column_stack([np.random.default_rng(0).standard_normal(600), np.ones(600)])
    return emmd.Problem(model, X, model.sample_y(truth, X, 1)), truth


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_an_example_is_short_and_says_what_it_is(file):
    assert len(file.read_text().splitlines()) <= 40
    assert example(file.stem).__doc__


def test_a_claim_with_its_sabotage_takes_fifteen_lines(linear):
    tree = ast.parse((FOLDER / "claim.py").read_text())
    assert sum(node.end_lineno - node.lineno + 1 for node in tree.body[1:]) <= 15
    claim = example("claim").CLAIM
    [record] = theory.verify(*linear, [claim])
    assert record.verdict == "holds"
    assert [sabotage.verdict for sabotage in record.sabotages] == ["violated"]
    # what is not given is what the example does not say
    assert (claim.latex, claim.source, claim.assumptions) == ("", "", ())


def test_the_scale_is_that_of_the_larger_side():
    assert theory.Comparison(-3.0, 2, 0.1).scale == 3.0
    assert theory.Comparison(-3.0, 2.0, 0.1, 0.5).scale == 0.5


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_the_documentation_quotes_the_examples(file):
    page = (FOLDER.parent / "docs" / "howto" / "plug-ins.md").read_text()
    assert f"```{{literalinclude}} ../../examples/{file.name}\n" in page


def test_the_claim_holds_and_its_sabotage_falls(linear, binomial):
    for problem, theta0 in (linear, binomial):
        ours, built_in = theory.verify(problem, theta0, claims=[example("claim").CLAIM, "C1"])
        assert (ours.claim, ours.verdict) == ("Z1-gain", "holds")
        assert [sabotage.verdict for sabotage in ours.sabotages] == ["violated"]
        # EM gains less than twice the divergence, so less than twice as much is refuted too
        assert 0.0 < ours.sabotages[0].smallest <= 1.0
        assert built_in.verdict == "holds"


def test_the_family_is_fitted_and_its_claims_hold(binomial):
    problem, truth = binomial
    run = emmd.minimize(problem, truth)
    assert run.success
    np.testing.assert_allclose(run.x, truth, atol=1.0)
    assert {record.verdict for record in theory.verify(problem, truth, ["E1", "C1", "L1"])} == {"holds"}
    with pytest.raises(ValueError, match="y must hold whole numbers from 0 to 5"):
        emmd.Problem(problem.model, problem.X, problem.y + 1)
    fit = emmd.MixtureOfExpertsRegressor(family=problem.model.family, n_init=2, random_state=0)
    fit.fit(problem.X[:, :1], problem.y)
    assert fit.loglik_ >= -problem.n_rows * run.fun - 1e-6
    assert (fit.predict(problem.X[:, :1]) <= 5.0).all()


@pytest.mark.parametrize("damping", [1.0, 0.6])
def test_the_algorithm_converges_at_the_rate_that_theory_predicts(linear, damping):
    problem, theta0 = linear
    algorithm = example("algorithm").DampedEM(damping)
    run = emmd.minimize(problem, theta0, algorithm, record=True)
    assert run.success
    predicted = theory.predicted_rate(problem, run.x, algorithm)
    assert theory.contraction(problem, run.x, algorithm).value == pytest.approx(predicted, rel=1e-6)
    em = theory.predicted_rate(problem, run.x)
    assert predicted == pytest.approx(1.0 - damping * (1.0 - em), rel=1e-12)
    faster = emmd.minimize(problem, theta0, "squarem", base=algorithm)
    np.testing.assert_allclose(faster.x, run.x, atol=1e-7)


def test_the_algorithm_refuses_steps_that_are_none():
    with pytest.raises(ValueError, match="damping must lie in"):
        example("algorithm").DampedEM(1.5)


def test_the_model_converges_at_the_share_of_censored_rows():
    module = example("model")
    problem = module.problem
    run = emmd.minimize(problem, module.theta0)
    assert run.success
    # the maximum of the likelihood in closed form: events over time at risk
    seen = problem.y > 0
    assert run.x[0] == pytest.approx(np.log(seen.sum() / np.abs(problem.y).sum()), abs=1e-9)
    assert theory.predicted_rate(problem, run.x) == pytest.approx(1.0 - seen.mean(), abs=1e-9)
    records = theory.verify(problem, module.theta0, ["E1", "E3", "C1", "L1", "R1-exact-identity"])
    assert {record.verdict for record in records} == {"holds"}


def test_the_gate_keeps_its_floor_and_its_claims_hold():
    gate = example("gate").Floor(0.2)
    p = np.exp(gate.log_probabilities(np.array([[-900.0, 0.0, 900.0], [0.0, 900.0, 900.0]])))
    np.testing.assert_allclose(p.sum(axis=0), 1.0, rtol=1e-15)
    assert p.min() == pytest.approx(0.2 / 3, rel=1e-12)
    model = emmd.MixtureOfExperts(2, 2, "gaussian", gate=gate)
    truth = model.pack([[2.0, 0.0], [-1.0, 1.0]], [[1.0, 0.2]], [-1.0, -1.0])
    X = np.column_stack([np.random.default_rng(1).standard_normal(200), np.ones(200)])
    problem = emmd.Problem(model, X, model.sample_y(truth, X, 0))
    assert emmd.minimize(problem, truth).success
    records = theory.verify(problem, truth, ["E1", "E3", "C1", "L1", "R1-exact-identity"])
    assert {record.verdict for record in records} == {"holds"}
    fit = emmd.MixtureOfExpertsRegressor(gate=gate, n_init=2, random_state=0).fit(X[:, :1], problem.y)
    assert fit.gate_proba(X[:, :1]).min() >= 0.1 - 1e-12


ACCELERATED = {"squarem": {}, "anderson": {}, "over_relaxation": {}}
OTHERS = {
    "gradient_descent": {"step_size": "backtracking"},
    "gradient_em": {"step_size": 0.3, "inner_steps": 3},
}


def test_the_latent_model_gets_the_whole_laboratory():
    module = example("latent")
    problem, start = module.problem, module.theta0
    run = emmd.minimize(problem, start, record=True, tol=1e-10)
    # maximum likelihood: the mean count is kept, and the share of zeros
    odds, rate = np.exp(run.x)
    share = odds / (1.0 + odds)
    assert share * rate == pytest.approx(module.y.mean(), rel=1e-8)
    assert 1.0 - share * (1.0 - np.exp(-rate)) == pytest.approx(np.mean(module.y == 0), rel=1e-8)
    predicted = theory.predicted_rate(problem, run.x)
    assert theory.contraction(problem, run.x).value == pytest.approx(predicted, abs=1e-6)
    seen = theory.observed_rate(run)
    assert abs(seen.value - predicted) <= seen.error
    assert theory.missing_information(problem, run.x).rate == pytest.approx(predicted, rel=1e-12)
    for method, options in {**ACCELERATED, **OTHERS}.items():
        other = emmd.minimize(problem, start, method, **options)
        assert other.success, (method, other.message)
        np.testing.assert_allclose(other.x, run.x, atol=1e-5)
        if method in ACCELERATED:
            accelerated = emmd.accelerate(problem.em_step, start, method)
            np.testing.assert_allclose(accelerated.x, run.x, atol=1e-7)
    online = emmd.online_em(module.model, np.split(problem.y, 25), start, average=True)
    assert problem.loss(online.x) - run.fun < 0.02
    np.testing.assert_allclose(
        emmd.online_em(module.model, [problem.y], start, 1.0).x, problem.em_step(start)
    )


def test_the_latent_model_gets_its_verdicts():
    module = example("latent")
    records = theory.verify(module.problem, module.theta0)
    assert {record.verdict for record in records} == {"holds", "not applicable"}
    found = {record.claim: record for record in records if record.verdict == "holds"}
    assert len(found) >= 18
    assert found["E3-bregman-projection"].independent
    assert not found["E1-fisher-identity"].independent
