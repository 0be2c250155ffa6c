"""Sparse gates beside a dense one: the same rows, the same start, and what is said of both."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import emmd
from emmd.experiments.figures.real.sparse_gates import SPARSE_GATES
from emmd.experiments.snr.config.read import parse, read_text
from emmd.experiments.snr.measures.path_rate import PATH_RATE
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.plan.seeds import seed_of
from emmd.experiments.snr.plan.starts import draw_start
from emmd.experiments.snr.report.gates import gate_table
from emmd.experiments.snr.sources.gates import GateSource

GATES = ("softmax", "top-2", "top-1")


@pytest.fixture(scope="module")
def samples():
    """One data set under each gate."""
    source = GateSource(
        n_experts=3, family="gaussian", n=150, d=4, snr_expert=6.0, snr_gate=4.0, gate=list(GATES)
    )
    return {cell["gate"]: GateSource.draw(cell, seed_of("rows")) for cell in source.cells()}


def test_gates_share_rows_and_starts(samples):
    dense = samples["softmax"]
    config = {"kind": "dense", "iterations": 5, "index": 0}
    start = draw_start(config, dense, seed_of("start"))
    led = emmd.minimize(
        dense.problem, draw_start({"kind": "data", "index": 0}, dense, seed_of("start")), max_iter=5
    )
    np.testing.assert_array_equal(start, led.x)
    for gate, sample in samples.items():
        np.testing.assert_array_equal(sample.problem.X, dense.problem.X)
        np.testing.assert_array_equal(sample.test_y, dense.test_y)
        np.testing.assert_array_equal(draw_start(config, sample, seed_of("start")), start)
        taken = (sample.problem.responsibilities(start) > 0).sum(axis=1)
        assert taken.max() == {"softmax": 3, "top-2": 2, "top-1": 1}[gate]


def test_runs_of_all_gates_have_one_seed():
    runs = make_plan(parse(read_text("sparse-gates-quick"))).runs
    assert {run.data.cell["gate"] for run in runs} == set(GATES)
    assert len(runs) == 3 * len({str(run.data.names) for run in runs})


def test_a_geometric_path_and_one_that_jumps():
    def measured(size, loss):
        trace = SimpleNamespace(displacement=np.array(size), loss=np.array(loss))
        return PATH_RATE.measure(None, None, SimpleNamespace(trace=trace, nit=len(size) - 1))

    falling = np.linspace(1.0, 0.5, 11)
    assert measured(0.7 ** np.arange(11), falling) == pytest.approx({"path_rate": 0.7, "rises": 0.0})
    jumping = measured(1.0 + np.arange(11) % 2, 1.0 + np.arange(11) % 2)
    assert jumping["path_rate"] > 0.8
    assert jumping["rises"] == 0.5
    # after one step there is nothing left to do; where there was no step there is no rate
    assert measured([1.0, 0.0], falling[:2])["path_rate"] == 0.0
    assert measured([0.0], falling[:1]) == {"path_rate": None, "rises": 0.0}


def stored(gates=GATES):
    """Two samples of a store, made up."""
    rows = [
        {
            "model": "moe", "family": "categorical", "snr_gate": 1.0, "gate": gate, "repetition": repetition,
            "start_index": 0, "status": "converged", "path_rate": 0.5, "rises": 0.0, "iterations": 9,
            "train_loss": 1.0, "test_loss": 1.0 + cost + repetition, "test_accuracy": 0.9 - cost,
        }
        for gate, cost in zip(gates, (0.0, 0.1, 0.3))
        for repetition in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_cost_is_told_sample_by_sample():
    table = gate_table(stored(), None).set_index("gate")
    assert table["excess"].to_dict() == pytest.approx({"softmax": 0.0, "top-2": 0.1, "top-1": 0.3})
    # samples differ by 1, the cost does not
    assert table["excess_sd"].max() == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="no run has the gate 'softmax'"):
        gate_table(stored(("top-3", "top-2", "top-1")), None)


def test_the_figure_has_every_gate():
    figure = SPARSE_GATES.draw(stored(), None)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["softmax", "top-1", "top-2"]
    middle = figure.axes[1]
    places = {bar.get_label(): bar.lines[0].get_xdata()[0] for bar in middle.containers}
    assert places == pytest.approx({"softmax": 0.0, "top-1": 0.3, "top-2": 0.1})
