"""Claims about populations: they hold, their sabotages fall, and their constants are known elsewhere."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import k0, k1

from emmd import theory
from emmd.theory.claims.convergence import c5_mixing_weights
from emmd.theory.claims.laws import n2_sample_noise
from emmd.theory.claims.rates import l7_no_signal
from emmd.theory.claims.snr import s3_mixed_regression_law, s5_high_expert_snr
from emmd.theory.population.lab import PopulationLab
from emmd.theory.verdict import Verdict

MODELS = ["symmoline", "symmologe"]


def integral(function, low, high):
    return quad(function, low, high, epsabs=1e-14, epsrel=1e-13, limit=400)[0]


@pytest.fixture(scope="module")
def both():
    return {model: {r.claim: r for r in theory.verify_population(model)} for model in MODELS}


@pytest.fixture(params=MODELS)
def records(request, both):
    return both[request.param]


def test_every_claim_holds_or_is_about_the_other_model(records):
    wrong = {
        name: (record.verdict, record.reason)
        for name, record in records.items()
        if record.verdict not in (Verdict.HOLDS, Verdict.NOT_APPLICABLE)
    }
    # a measurement: as many fits as there is time for do not settle its orders
    measured = wrong.pop("N6-too-many-experts", (Verdict.NOT_APPLICABLE, ""))
    assert measured[0] in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE)
    assert wrong == {}


def test_every_sabotage_is_refuted_with_its_place(records):
    for record in records.values():
        if record.verdict is Verdict.HOLDS:
            assert record.sabotages
            assert all(s.verdict is Verdict.VIOLATED and s.where for s in record.sabotages)
            assert record.where


def test_all_claims_are_covered_by_a_model(both):
    linear, logistic = both.values()
    for name in linear | logistic:
        assert linear[name].problem == "population"
        found = {linear[name].verdict, logistic[name].verdict}
        assert Verdict.HOLDS in found or name == "N6-too-many-experts"
    labels = {name.partition("-")[0] for name in linear}
    paper = {"C4", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "C5", "L7"}
    assert labels == paper | {"O2", "O3", "O4"} | {f"N{k}" for k in range(1, 7)}


def test_proofs_are_used(both):
    assert both["symmoline"]["S1-missing-information-bound"].proof == "proved"
    assert both["symmologe"]["S6-logistic-bound"].proof == "proved"


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="claims must be one of"):
        theory.verify_population("symmoline", ["S99"])
    with pytest.raises(ValueError, match="model must be one of"):
        theory.verify_population("moe")


def test_s3_constants_to_ten_digits():
    gate = 2.0 / np.pi * integral(lambda z: k0(z) / np.cosh(z), 0.0, 60.0)
    expert = 2.0 / np.pi * integral(lambda z: z * k1(z) / np.cosh(z), 0.0, 60.0)
    constants = s3_mixed_regression_law.high_snr_constants()
    assert constants["gate"] == pytest.approx(gate, rel=0, abs=1e-11)
    assert constants["expert"] == pytest.approx(expert, rel=0, abs=1e-11)
    assert f"{constants['gate']:.8f}" == "0.81192865"
    assert f"{constants['expert']:.8f}" == "0.61167519"


def test_s5_limits_against_another_form():
    # sech(b/2) e^(-a^2/2) E_y sech(b/2 + a y) by adaptive rules, at rho = 1 across the line
    def inner(tau):
        return np.sqrt(2.0 / np.pi) * integral(
            lambda y: np.exp(-y * y / 2) / np.cosh(tau / 2 + tau * y), -12.0, 12.0
        )

    missing = integral(lambda t: np.exp(-t * t / 2) / np.cosh(t / 2) * inner(t), 0.0, 12.0)
    (_, across), error = s5_high_expert_snr._refined(1.0)
    assert across == pytest.approx(missing / 4, rel=0, abs=1e-8)
    assert error < 1e-10


def test_s7_counter_example_is_the_known_one():
    rates = [theory.population("symmoline", 0.2154, gate, 0.0).rate(2) for gate in (1.0, 4.64, 100.0)]
    np.testing.assert_allclose(rates, [0.98088, 0.98944, 0.98735], rtol=0, atol=5e-6)
    assert rates[0] < rates[1] > rates[2]


def test_c5_bound_in_the_other_order_fails_next_to_a_vertex():
    lab = PopulationLab("symmoline", seed=3)
    comparisons = list(c5_mixing_weights.measure(lab, order="start first"))
    broken = [c for c in comparisons if c.observed > c.predicted + c.budget]
    assert broken
    assert all("vertex" in c.where["start"] for c in broken)


def test_l7_map_is_the_expectation():
    expected = integral(lambda z: 2.0 / np.pi * z * np.tanh(0.7 * z) * k0(z), 0.0, 50.0)
    assert l7_no_signal._map(0.7) == pytest.approx(expected, rel=0, abs=1e-12)


def test_the_interval_of_a_measurement_is_told(both):
    record = both["symmoline"]["N6-too-many-experts"]
    lower, upper = record.where["interval"]
    assert lower < record.observed < upper
    assert "too large" in record.reason


def test_the_order_of_the_estimate_on_noise_is_known_elsewhere():
    """EM's limit for n rows of noise, by the likelihood on a grid."""
    sample = n2_sample_noise._fitted("mixture", 2000, np.random.default_rng(1))
    y = np.random.default_rng(1).standard_normal(2000)
    assert sample.excess > 0.0
    r = np.linspace(0.0, 1.0, 2001)
    loss = [t**2 / 2 - np.log(np.cosh(t * y)).mean() for t in r]
    assert abs(r[np.argmin(loss)] ** 2 - sample.square) < 2e-3
    assert abs(sample.excess - sample.square) <= sample.slack
