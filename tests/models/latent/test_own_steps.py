"""Is my M-step right? A user's own steps are checked against the derivation, however small their fault."""

import json

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.experiments.cli import main
from emmd.experiments.console.verdict_table import verdict_table
from tests.models.latent import censored as model
from tests.models.latent.censored import SHARE, START, censored


def record(problem, claim):
    [found] = [each for each in theory.verify(problem, START, [claim]) if each.claim.startswith(claim)]
    return found


def test_a_right_m_step_holds_and_is_independent():
    found = record(censored(m_step=model.m_step), "E3-bregman-projection")
    assert (found.verdict, found.independent) == ("holds", True)
    assert all(each.verdict == "violated" for each in found.sabotages)


def test_without_own_steps_both_sides_are_one_function():
    for claim in ("E1-fisher-identity", "E2-dual-step", "E3-bregman-projection"):
        found = record(censored(), claim)
        assert (found.verdict, found.independent) == ("holds", False)
    assert record(censored(e_step=model.e_step), "E1-fisher-identity").independent
    assert not record(censored(m_step=model.m_step), "E1-fisher-identity").independent


@pytest.mark.parametrize("fault", [1e-1, 1e-6, 1e-11])
def test_a_wrong_m_step_is_violated_with_a_counter_example(fault):
    def wrong(statistics, X, weights):
        return model.m_step(statistics, X, weights) + fault

    found = record(censored(m_step=wrong), "E3-bregman-projection")
    assert found.verdict == "violated"
    assert {"theta", "theta+"} <= found.where.keys()
    reached = found.where["theta+"]
    times, seen = model.ROWS.T
    right = -np.log(np.mean(times + (1.0 - seen) * np.exp(-found.where["theta"])))
    np.testing.assert_allclose(reached - right, fault, rtol=1e-3)


def test_a_wrong_m_step_does_not_count_as_solved():
    def wrong(statistics, X, weights):
        return model.m_step(statistics, X, weights) + 1e-11

    run = emmd.minimize(censored(m_step=wrong), START)
    assert run.status == emmd.Status.INNER_FAILED
    with pytest.raises(ArithmeticError, match="M-step"):
        censored(m_step=wrong).em_step(START)
    right = emmd.minimize(censored(m_step=model.m_step), START)
    assert right.success
    assert theory.contraction(censored(m_step=model.m_step), right.x).value == pytest.approx(SHARE, rel=1e-7)


def test_a_wrong_e_step_is_violated():
    def wrong(theta, x, y):
        return model.e_step(theta, x, y) * (1.0 + 1e-9)

    for claim in ("E1-fisher-identity", "E2-dual-step"):
        assert record(censored(e_step=wrong), claim).verdict == "violated"
        assert record(censored(e_step=model.e_step), claim).verdict == "holds"


def test_a_step_in_plain_numpy_is_taken_row_by_row():
    def e_step(theta, x, y):
        return np.array([float(y[0])]) + (1.0 - float(y[1])) * np.exp(-np.asarray(theta))

    ours = censored(e_step=e_step).responsibilities(START)
    np.testing.assert_allclose(ours, censored().responsibilities(START), rtol=1e-14)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (
            {"m_step": lambda s, X, w: np.zeros(2)},
            r"m_step must return an array of shape \(1,\), got shape \(2,\)",
        ),
        ({"e_step": lambda t, x, y: np.zeros(3)}, r"e_step must return an array of shape \(1,\) for a row"),
    ],
)
def test_a_step_of_the_wrong_shape_is_named(steps, says):
    with pytest.raises(ValueError, match=says):
        censored(**steps).em_step(START)


MODEL_FILE = """
import numpy as np
from tests.models.latent.censored import START, censored, m_step

problem = censored(m_step=lambda s, X, w: m_step(s, X, w) + {fault})
theta0 = START
"""


@pytest.mark.parametrize(("fault", "code", "verdict"), [("0.0", 0, "holds"), ("1e-9", 1, "violated")])
def test_the_command_answers(fault, code, verdict, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODEL_FILE.format(fault=fault))
    words = ["emmd", "verify", "--model-file", str(tmp_path / "mine.py"), "--claim", "E3"]
    monkeypatch.setattr("sys.argv", [*words, "--json", str(tmp_path / "out.json")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    [found] = json.loads((tmp_path / "out.json").read_text())
    assert (found["verdict"], found["independent"]) == (verdict, True)


def test_the_table_says_where_both_sides_come_from_one_function():
    records = theory.verify(censored(), START, ["E1", "L1"])
    columns = {column.header: list(column.cells) for column in verdict_table(records).columns}
    assert columns["independent"] == ["no", "yes"]


def test_steps_that_are_kept_are_nobodys_to_change():
    problem = censored(m_step=model.m_step)
    first = problem.em_step(START)
    again = problem.em_step(START)
    first += 1.0
    np.testing.assert_array_equal(problem.em_step(START), again)
    assert np.all(first == again + 1.0)
