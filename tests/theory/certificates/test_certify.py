"""Certificates are never wrong, and where there is none the reason names an inequality and both its sides."""

import itertools
import os
import re
import subprocess
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.theory.certificates import balls
from tests.generators.problems import draw
from tests.theory.certificates.attack import KINDS, broken, sampled, worst_ratio


@pytest.mark.parametrize(("kind", "sigma"), [("symmologe", 1.0), ("symmoline", 37.0), ("symmoline", 1e-3)])
def test_a_certificate_stands_attacks_and_a_second_proof(kind, sigma):
    weights = np.random.default_rng(1).integers(1, 4, 200).astype(float)
    problem, start = sampled(kind, n=200, d=2, weights=weights, sigma=sigma)
    found = theory.certify(problem, start)
    assert found.certified, found.reason
    assert found.rate[1] - found.rate[0] < 1e-11
    assert 0.0 < found.error < found.radius
    assert found.rate[1] < found.basin_rate < 1.0
    assert broken(problem, found, 40) == ""
    assert worst_ratio(problem, found, 2000) <= found.basin_rate
    # on a ball far larger the inequality is false, and the search sees it
    assert worst_ratio(problem, found, 2000, stretch=30.0) > found.basin_rate
    assert found.check()
    assert found.objection(problem) == ""


def test_decimals_of_the_statement_are_rounded_to_the_side_on_which_it_stays_true(made):
    _, _, found = made["symmoline"]
    exact = replace(
        found,
        radius=0.1234567,
        error=1.2341e-17,
        rate=(0.12345678901234567, 0.12345678901234567),
        basin_rate=0.1234567891,
        basin_level=0.1234567,
    )
    says = exact.statement()
    for decimal in ("0.123456 ", "1.24e-17", "0.123456789012345 <=", "<= 0.123456789012346", "0.123456790 "):
        assert decimal in says, decimal
    assert "<= 0.123456}" in says


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_enclosed_optimum_and_rate_are_those_of_sixty_digits(kind):
    problem, start = sampled(kind, n=30, d=1, cosine=1.0, snr_expert=2.0, snr_gate=1.0, seed=3)
    found = theory.certify(problem, start)
    assert found.certified, found.reason
    with mp.workdps(60):
        x, y = ([mp.mpf(float(v)) for v in column] for column in (problem.X[:, 0], problem.y))
        logistic = kind == "symmologe"

        def loss(beta, w):
            total = mp.mpf(0)
            for a, b in zip(x, y):
                p, q = w * a / 2, beta * a * b / (2 if logistic else 1)
                total += mp.log(mp.cosh(p)) - mp.log(mp.cosh(p + q))
                total += mp.log(mp.cosh(beta * a / 2)) if logistic else (beta * a) ** 2 / 2
            return total / len(x)

        slope = [lambda *t, k=k: mp.diff(loss, t, k) for k in ((1, 0), (0, 1))]
        root = mp.findroot(slope, tuple(map(float, found.optimum)), tol=1e-80)
        away = mp.sqrt(sum((r - mp.mpf(float(o))) ** 2 for r, o in zip(root, found.optimum)))
        assert away <= found.error
        hessian = mp.matrix([[mp.diff(loss, tuple(root), k) for k in row] for row in
                             (((2, 0), (1, 1)), ((1, 1), (0, 2)))])  # fmt: skip
        complete = mp.diag(
            [
                sum((mp.sech(root[0] * a / 2) / 2) ** 2 * a * a if logistic else a * a for a in x) / len(x),
                sum((mp.sech(root[1] * a / 2) / 2) ** 2 * a * a for a in x) / len(x),
            ]
        )
        half = mp.diag([1 / mp.sqrt(complete[0, 0]), 1 / mp.sqrt(complete[1, 1])])
        rate = max(mp.eigsy(half * (complete - hessian) * half, eigvals_only=True))
        assert found.rate[0] <= rate <= found.rate[1]


def cases(count):
    """Yield seeds of `draw` that give symmetric models."""
    drawn = (seed for seed in itertools.count() if draw(seed, 300).problem.model.name in KINDS)
    return itertools.islice(drawn, count)


@pytest.mark.soak
@pytest.mark.parametrize("seed", list(cases(300 if os.environ.get("EMMD_SOAK") else 8)))
def test_random_problems_are_certified_truly_or_not_at_all(seed):
    drawn = draw(seed, 300)
    found = theory.certify(drawn.problem, drawn.theta0, max_steps=200)
    if found.certified:
        assert broken(drawn.problem, found, count=40, seed=seed) == "", drawn.says
    else:
        # both sides of what failed
        assert "fails" in found.reason, drawn.says
        assert re.search(r"\d", found.reason) or "singular" in found.reason, drawn.says


def refused(problem, start, **options):
    found = theory.certify(problem, start, **options)
    assert not found.certified
    assert not found.check()
    assert "Not certified" in found.statement()
    return found.reason


def test_separable_data_have_no_certificate():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((200, 2)), np.ones(200)])
    problem = emmd.Problem(emmd.SymMoLogE(3), X, np.sign(X[:, 0]))
    reason = refused(problem, np.array([1.0, 0.1, 0.0, 0.1, 0.0, 2.0]))
    assert "fails" in reason
    assert "separable" in reason


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_start_on_the_separating_set_has_no_certificate(kind, made):
    problem, start, _ = made[kind]
    assert "fails" in refused(problem, np.zeros_like(start))
    # with every y there is -y: beta = 0 stays 0, however long EM runs, though a step off it leads away
    X, y = np.concatenate([problem.X, problem.X]), np.concatenate([problem.y, -problem.y])
    mirrored = emmd.Problem(problem.model, X, y)
    assert "fails" in refused(mirrored, np.concatenate([np.zeros(2), start[2:]]), max_steps=50)
    off = theory.certify(mirrored, start)
    assert not off.certified or broken(mirrored, off, 40) == ""


def test_a_start_too_far_for_the_steps_allowed_says_how_far(made):
    problem, start, _ = made["symmologe"]
    reason = refused(problem, 0.02 * start, max_steps=1)
    assert re.search(r"it is [\d.e-]+ after 1 steps, and the basin's level is 0\.\d+", reason)


def test_a_rate_too_near_one_has_no_certificate():
    """At beta = w the swap makes lambda_max 1: the optimum of equal parameters is nearly singular."""
    X = np.random.default_rng(0).standard_normal((100, 1))
    y = np.where(np.arange(100) % 2 == 0, 1.0, -1.0)
    problem = emmd.Problem(emmd.SymMoLogE(1), np.concatenate([X, X]), np.concatenate([y, -y]))
    reason = refused(problem, np.array([0.5, 0.4]))
    assert "fails" in reason


@pytest.mark.parametrize("stretch", [1e8, 1e-8])
def test_units_of_features_change_no_rate(stretch, made):
    problem, start, found = made["symmoline"]
    units = np.array([stretch, 1.0])
    scaled = emmd.Problem(problem.model, problem.X * units, problem.y)
    other = theory.certify(scaled, start / np.tile(units, 2))
    assert other.certified, other.reason
    np.testing.assert_allclose(other.rate, found.rate, rtol=1e-12)
    np.testing.assert_allclose(other.basin_level, found.basin_level, rtol=1e-6)
    assert broken(scaled, other, count=20) == ""


def test_a_row_of_high_leverage(made):
    problem, start, _ = made["symmoline"]
    X, y = problem.X.copy(), problem.y.copy()
    X[0] *= 300.0
    y[0] *= 300.0
    leveraged = emmd.Problem(problem.model, X, y)
    found = theory.certify(leveraged, start, max_steps=100)
    assert not found.certified or broken(leveraged, found) == ""


def test_models_without_a_proof_and_bad_arguments(made):
    problem, start, _ = made["symmoline"]
    moe = emmd.MixtureOfExperts(2, 3)
    X, y, _ = moe.sample(np.zeros(moe.n_params), 50, 0)
    with pytest.raises(ValueError, match=r"needs a model whose proof is known .* got moe.*K experts"):
        theory.certify(emmd.Problem(moe, X, y), np.zeros(moe.n_params))

    class Mine(emmd.SymMoLinE):
        name = "mine"

    with pytest.raises(ValueError, match="got mine"):
        theory.certify(emmd.Problem(Mine(2), problem.X, problem.y), start)
    with pytest.raises(ValueError, match="share must lie between 0 and 1"):
        theory.certify(problem, start, share=1.0)
    with pytest.raises(ValueError, match=r"theta0 must have shape"):
        theory.certify(problem, start[:1])
    with pytest.raises(TypeError, match=r"problem must be an emmd.Problem"):
        theory.certify(3, start)


def test_without_python_flint_one_sentence_names_the_extra(monkeypatch, made):
    problem, start, _ = made["symmoline"]
    monkeypatch.setattr(balls, "flint", None)
    for call in (
        lambda: theory.certify(problem, start),
        lambda: theory.certify_population("symmoline", 1.0, 1.0, 0.0),
        lambda: theory.prove_bound("1", "symmoline", 1.0, 1.0),
        lambda: theory.verify(problem, start, ["L1"], certify=True),
    ):
        with pytest.raises(ValueError, match=r"python-flint: pip install 'emmd\[certify\]'"):
            call()
    assert theory.verify(problem, start, ["R4"])[0].verdict == "holds"


def test_nothing_else_needs_python_flint(python):
    script = "import sys; sys.modules['flint'] = None\nfrom emmd import theory; print(theory.certify)"
    assert subprocess.run([python, "-c", script], check=True, capture_output=True).stdout


def test_verify_says_certified_where_a_proof_stands_behind_the_number(made):
    problem, start, _ = made["symmoline"]
    names = ["L1", "R1", "R2", "C4", "K1", "K2", "K3", "K4"]
    records = {record.claim: record for record in theory.verify(problem, start, names, certify=True)}
    certified = {name for name, record in records.items() if record.verdict == "certified"}
    assert certified >= {
        "L1-em-rate",
        "R1-relative-smoothness",
        "R2-region-bound",
        "R2-relative-strong-convexity",
        "C4-linear-rate",
        "K1-uniqueness",
        "K2-enclosed-rate",
        "K3-basin",
        "K4-path",
    }
    for record in records.values():
        assert record.verdict in ("holds", "certified"), record
        assert {one.verdict for one in record.sabotages} == {"violated"}, record
    plain = theory.verify(problem, start, ["L1", "K1"])
    assert [record.verdict for record in plain] == ["holds"]
