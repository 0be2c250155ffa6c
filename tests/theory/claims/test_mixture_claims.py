"""K experts of every family: claims hold, sabotages fall, and what needs a linear set is not applicable."""

import pytest

from emmd import theory
from emmd.experiments.cases.mixtures import QUICK, mixture_cases
from emmd.theory.verdict import Verdict

CASES = {case.name: case for case in mixture_cases(0, every=True)}
NEED_A_LINEAR_SET = {"C3", "C4", "E4", "O1", "R1-relative-smoothness", "R2"}


@pytest.mark.parametrize("name", CASES)
def test_predicted_rate_is_the_contraction_of_em(name):
    case = CASES[name]
    reference = theory.reference_optimum(case.problem, case.theta0)
    assert reference.strict, reference.reason
    predicted = theory.predicted_rate(case.problem, reference.theta)
    assert theory.contraction(case.problem, reference.theta).value == pytest.approx(predicted, rel=1e-4)


@pytest.mark.parametrize("name", [f"{truth.family} K={len(truth.coef)}" for truth in QUICK])
def test_claims(name):
    case = CASES[name]
    for record in theory.verify(case.problem, case.theta0, seed=0):
        label = record.claim.partition("-")[0]
        if label[0] in "NO":
            # laws about models of other kinds
            assert record.verdict is Verdict.NOT_APPLICABLE
        elif label in NEED_A_LINEAR_SET or record.claim in NEED_A_LINEAR_SET:
            assert record.verdict is Verdict.NOT_APPLICABLE
            assert "curved" in record.reason or "symmetric" in record.reason
        else:
            assert record.verdict is Verdict.HOLDS, record
            assert {sabotage.verdict for sabotage in record.sabotages} == {Verdict.VIOLATED}


def test_the_dual_step_leaves_the_model_set():
    case = CASES["gaussian K=2"]
    record = theory.verify(case.problem, case.theta0, ["E6"])[0]
    assert record.where["relative distance to the set"] > 0.1
