"""The claims hold where they should, their sabotages fall, and a wrong claim is caught."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.core.discover import discover
from emmd.data.snr import snr_parameters
from emmd.theory.checker import check, claims, found_claims, select
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.lab import Lab
from emmd.theory.verdict import Verdict

LISTED = ["C1", "C2", "C3", "C4", "E1", "E4", "E5", "L1", "L2", "L3", "L4", "L5", "R1", "R2", "R3", "R4"]

FOR_OTHERS = ("C5-constant-gate", "E6-projection-needed", "N0-censored-share")


def sample_problem(kind, seed, weighted, n=600, d=3, sigma=1.0):
    model = kind(d, sigma=sigma) if kind is emmd.SymMoLinE else kind(d)
    truth = snr_parameters(d, 3.0, 2.0, 0.2, sigma)
    X, y, _ = model.sample(truth, n, seed)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2.0, n) if weighted else None
    return emmd.Problem(model, X, y, weights), truth + 0.2 * rng.standard_normal(2 * d)


def test_every_listed_claim_is_there_and_imports():
    assert found_claims().broken == {}
    assert {claim.label for claim in claims().values()} >= set(LISTED)
    assert all(claim.sabotages for claim in claims().values())


@pytest.mark.parametrize("kind", [emmd.SymMoLinE, emmd.SymMoLogE])
@pytest.mark.parametrize(("seed", "weighted", "sigma"), [(0, False, 1.0), (1, True, 0.3)])
def test_claims_hold_and_sabotages_fall(kind, seed, weighted, sigma):
    problem, theta0 = sample_problem(kind, seed, weighted, sigma=sigma)
    for record in theory.verify(problem, theta0, seed=seed):
        if record.claim in FOR_OTHERS:
            assert record.verdict is Verdict.NOT_APPLICABLE
            continue
        assert record.verdict is Verdict.HOLDS, record
        assert record.error_budget >= 0
        assert record.sabotages
        for sabotage in record.sabotages:
            assert sabotage.verdict is Verdict.VIOLATED, (record.claim, sabotage)


def applicable():
    return (name for name in claims() if claims()[name].scope == "problem" and name not in FOR_OTHERS)


def test_features_of_very_different_size_change_no_verdict():
    problem, theta0 = sample_problem(emmd.SymMoLinE, 3, False)
    stretch = np.array([1e6, 1.0, 1e-3])
    scaled = emmd.Problem(problem.model, problem.X * stretch, problem.data.y)
    for record in theory.verify(scaled, theta0 / np.tile(stretch, 2), list(applicable())):
        assert record.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE), record
        if record.verdict is Verdict.INCONCLUSIVE:
            # gradient methods crawl there: their rates are 1 - 1e-12
            assert record.claim[:2] in ("L3", "L5")


def test_separable_data_make_rates_not_applicable_and_keep_identities():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((200, 2)), np.ones(200)])
    problem = emmd.Problem(emmd.SymMoLogE(3), X, np.sign(X[:, 0]))
    start = np.array([1.0, 0.1, 0.0, 0.1, 0.0, 2.0])
    verdicts = {record.claim: record for record in theory.verify(problem, start)}
    assert verdicts["E4-em-is-mirror-descent"].verdict is Verdict.HOLDS
    assert verdicts["L1-em-rate"].verdict is Verdict.NOT_APPLICABLE
    assert "separable" in verdicts["L1-em-rate"].reason


def test_dependent_columns_make_everything_not_applicable():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 2))
    problem = emmd.Problem(emmd.SymMoLinE(3), np.column_stack([X, X[:, 0]]), X[:, 0])
    for record in theory.verify(problem, np.ones(6)):
        assert record.verdict is Verdict.NOT_APPLICABLE
        assert "[0, 2]" in record.reason


def false_claim(**changes):
    def measure(lab, honest=False):
        gap = 0.0 if honest else 1e-3
        yield Comparison(1.0, 1.0 + gap, 1e-9, 1.0, {"theta": lab.theta0})

    fields = {
        "id": "X1-test",
        "statement": "one is more than one",
        "latex": "1 > 1",
        "source": "nobody",
        "kind": Kind.IDENTITY,
        "measure": measure,
        "sabotages": (Sabotage("honest", {"honest": True}),),
    }
    return Claim(**(fields | changes))


def test_a_false_claim_is_violated_with_its_counter_example():
    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    record = check(false_claim(), Lab(problem, theta0))
    assert record.verdict is Verdict.VIOLATED
    assert record.failed
    np.testing.assert_array_equal(record.where["theta"], theta0)


def test_a_surviving_sabotage_is_not_discriminating():
    def blind(lab, wrong=False):
        yield Comparison(1.0, 1.0, 1e-9, 1.0)

    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    claim = false_claim(measure=blind, sabotages=(Sabotage("unseen", {"wrong": True}),))
    record = check(claim, Lab(problem, theta0))
    assert record.verdict is Verdict.NOT_DISCRIMINATING
    assert "unseen" in record.reason


def test_a_variant_that_says_the_same_here_is_not_counted():
    """A sabotage within the budget of the claim is told, not held against the user."""

    def nearly(lab, wrong=0.0):
        yield Comparison(1.0 + wrong, 1.0, 1e-9, 1.0)

    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    variants = (Sabotage("off by nothing", {"wrong": 1e-10}), Sabotage("off", {"wrong": 0.5}, truth=0.0))
    record = check(false_claim(measure=nearly, sabotages=variants), Lab(problem, theta0))
    assert record.verdict is Verdict.HOLDS
    assert [one.verdict for one in record.sabotages] == [Verdict.NOT_DISTINGUISHABLE, Verdict.VIOLATED]
    assert record.resolution == pytest.approx(1e-9)
    # a graded sabotage is made smaller until it passes
    assert 1e-9 < record.sabotages[1].smallest < 1e-8


def test_a_bound_too_loose_to_refute_anything_is_not_discriminating():
    def loose(lab, factor=1.0):
        yield Comparison(100.0 * factor, 1.0, 1e-9, 100.0)

    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    claim = false_claim(measure=loose, kind=Kind.UPPER_BOUND, sabotages=(Sabotage("half", {"factor": 0.5}),))
    assert check(claim, Lab(problem, theta0)).verdict is Verdict.NOT_DISCRIMINATING


def test_an_infeasible_sabotage_is_not_refuted_and_a_claim_without_any_does_not_hold():
    def measure(lab, infeasible=False):
        yield Comparison(np.nan if infeasible else 1.0, 1.0, 1e-9, 1.0)

    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    lab = Lab(problem, theta0)
    record = check(false_claim(measure=measure, sabotages=(Sabotage("no", {"infeasible": True}),)), lab)
    assert record.sabotages[0].verdict is Verdict.INCONCLUSIVE
    assert check(false_claim(measure=measure, sabotages=()), lab).verdict is Verdict.NOT_DISCRIMINATING


def test_proofs_belong_to_formulas_not_to_names():
    """A prior changes the loss; a subclass under another name does not."""

    class Renamed(emmd.SymMoLinE):
        name = "mine"

    class Altered(emmd.SymMoLinE):
        def loss(self, data, theta):
            return 1.001 * super().loss(data, theta)

    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=80)
    with_prior = emmd.ConjugatePrior(problem.model, 0.1, 0.5 * theta0)
    formulas = {
        model: Lab(emmd.Problem(model, problem.X, problem.y), theta0).formula
        for model in (problem.model, Renamed(3), Altered(3), with_prior)
    }
    assert list(formulas.values()) == ["symmoline", "symmoline", None, None]


def test_claims_may_be_objects_beside_ids():
    def right(lab, wrong=0.0):
        yield Comparison(1.0 + wrong, 1.0, 1e-9, 1.0)

    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    mine = false_claim(measure=right, sabotages=(Sabotage("off", {"wrong": 0.1}),))
    records = theory.verify(problem, theta0, [mine, "E1"])
    assert [record.claim for record in records] == [mine.id, "E1-fisher-identity"]
    with pytest.raises(TypeError, match="claims"):
        theory.verify(problem, theta0, [3])


def test_a_claim_that_measures_nothing_is_one_error_that_names_it():
    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    for measure, says in (
        (lambda lab, honest=False: None, "measure of claim 'X1-test' must yield comparisons, got None"),
        (
            lambda lab, honest=False: [1.0],
            "what measure of claim 'X1-test' yields must be a Comparison, got 1.0",
        ),
    ):
        with pytest.raises(TypeError, match=says):
            theory.verify(problem, theta0, [false_claim(measure=measure)])
    unsure = false_claim(assumptions=(lambda lab: True,))
    with pytest.raises(TypeError, match="what an assumption of claim 'X1-test' returns must be text"):
        theory.verify(problem, theta0, [unsure])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: false_claim(sabotages=Sabotage("a", {})),
            "sabotages must be a sequence of Sabotage objects",
        ),
        (lambda: false_claim(kind="identity"), "kind must be a Kind, got 'identity'"),
        (lambda: false_claim(scope="everywhere"), "scope must be one of certificate, population, problem"),
        (
            lambda: Sabotage("a", {"a": 1.0, "b": 2.0}, truth=0.0),
            "truth must stand beside a variant of one number",
        ),
        (lambda: Comparison(None, 1.0, 0.0, 1.0), "predicted must be a real number, got None"),
    ],
)
def test_a_claim_that_is_made_wrongly_is_refused(make, says):
    with pytest.raises((TypeError, ValueError), match=says):
        make()


def test_numbers_of_other_libraries_are_numbers():
    sides = Comparison(np.array(1.0), np.float32(2.0), 0, np.inf, trivial=np.array(np.nan))
    assert [type(side) for side in (sides.predicted, sides.observed, sides.budget)] == [float] * 3
    assert np.isnan(sides.trivial)


def test_two_claims_of_one_id_are_refused():
    problem, theta0 = sample_problem(emmd.SymMoLinE, 0, False, n=50)
    with pytest.raises(ValueError, match="claims must hold one claim of each id, got two of 'X1-test'"):
        theory.verify(problem, theta0, [false_claim(), false_claim()])
    once = false_claim()
    assert len(theory.verify(problem, theta0, [once, once])) == 1


def test_unknown_claims_name_the_nearest_known_one():
    with pytest.raises(ValueError, match="C1-exact-decrease"):
        select(["C1-exact-decreas"])


def test_a_label_selects_all_its_claims():
    assert [claim.id for claim in select(["R2"])] == ["R2-region-bound", "R2-relative-strong-convexity"]


def test_a_new_claim_is_one_new_file_and_a_broken_one_is_listed(tmp_path, monkeypatch):
    package = tmp_path / "house_of_claims"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "broken.py").write_text("raise RuntimeError('half written')\n")
    (package / "new.py").write_text(
        "from emmd.theory.claim import Claim, Kind\n"
        "CLAIM = Claim('Z1-new', 's', 'l', 'here', Kind.IDENTITY, lambda lab: (), ())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = discover("house_of_claims", Claim)
    assert list(found.plugins) == ["Z1-new"]
    assert "half written" in found.broken["house_of_claims.broken"]


def test_records_do_not_depend_on_which_claims_run():
    problem, theta0 = sample_problem(emmd.SymMoLogE, 2, False, n=300)
    alone = theory.verify(problem, theta0, ["E5"])[0]
    among = next(r for r in theory.verify(problem, theta0, ["C1", "E1", "E5"]) if r.claim == alone.claim)
    assert (alone.predicted, alone.observed, alone.slack) == (among.predicted, among.observed, among.slack)
