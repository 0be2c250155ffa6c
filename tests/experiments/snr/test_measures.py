"""Measures against slow, plain computations, and how long a million rows take to read."""

import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from emmd import load_traces
from emmd.experiments.snr.measures.snr_bound import SNR_BOUND
from emmd.runs import checksum


def bound(**cell):
    return SNR_BOUND.measure(SimpleNamespace(cell=cell))["snr_bound"]


def sech(u):
    return 1.0 / np.cosh(u)


@pytest.mark.parametrize(("snr_expert", "snr_gate"), [(0.5, 0.0), (2.0, 1.0), (8.0, 6.0)])
def test_the_linear_bound_is_that_of_s4(snr_expert, snr_gate):
    def moment(power):
        density = lambda g: np.exp(-g * g / 2) / np.sqrt(2 * np.pi)  # noqa: E731
        return quad(lambda g: density(g) * g**power * sech(snr_gate * g / 2) ** 2, -12, 12, limit=200)[0]

    expected = max(1.0, 1.0 / min(moment(0), moment(2))) / np.sqrt(1 + snr_expert**2)
    seen = bound(model="symmoline", snr_expert=snr_expert, snr_gate=snr_gate, cosine=0.3, d=5)
    assert seen == pytest.approx(expected, rel=1e-9)


def test_the_logistic_bound_is_that_of_s6_along_one_line():
    # cosine 1: both blocks are diagonal in (along, across), so their eigenvalues are ratios of moments
    e, g = 3.0, 1.5

    def mean(f):
        value = dblquad(
            lambda t, o: np.exp(-(t * t + o * o) / 2) / (2 * np.pi) * f(t, o), -9, 9, -9, 9, epsabs=1e-9
        )
        return value[0]

    ratios = [
        mean(lambda t, o, p=p: p(t, o) * sech(e * t / 2) * sech(g * t / 2))
        / mean(lambda t, o, p=p, s=s: p(t, o) * sech(s * t / 2) ** 2)
        for s in (e, g)
        for p in (lambda t, o: t * t, lambda t, o: o * o)
    ]
    seen = bound(model="symmologe", snr_expert=e, snr_gate=g, cosine=1.0, d=3)
    assert seen == pytest.approx(max(ratios), rel=1e-6)


def test_a_million_rows_of_trace_are_read_in_five_seconds(finished, tmp_path):
    path = tmp_path / "large.sqlite"
    path.write_bytes(finished.read_bytes())
    columns = np.random.default_rng(0).random((5000, 5, 200))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM runs")
        names = "iteration,evaluations,loss,error"
        insert = f"INSERT INTO runs VALUES ({', '.join('?' * 15)})"
        for k, block in enumerate(columns):
            run = f"run-{k:04}"
            row = (run, run, "e", "v", "{}", "s", "", "", "{}", 1, 0.0, names)
            row += (block[:4].tobytes(), block[4].tobytes())
            connection.execute(insert, (*row, checksum(row)))
    began = time.perf_counter()
    frame = load_traces(path)
    assert time.perf_counter() - began < 5.0
    assert len(frame) == 1_000_000
    assert (frame["error"].to_numpy().reshape(5000, 200) == columns[:, 3]).all()
    assert (frame["seconds"].to_numpy().reshape(5000, 200) == columns[:, 4]).all()
    assert frame["run"].iloc[200] == "run-0001"
