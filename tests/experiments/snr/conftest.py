"""A small experiment, and what two stores must have in common."""

import sqlite3
from contextlib import closing

import pytest

CONFIG = """
name = "small"
measures = ["predicted_rate", "contraction"]
repetitions = 2

[[problems]]
model = ["symmoline", "symmologe"]
n = 300
d = 2
snr_expert = [3.0, 4.0]
snr_gate = 1.0
cosine = 0.3

[[starts]]
kind = "distance"
distance = [0.2, 0.5]
count = 3

[[algorithms]]
method = "em"

[[algorithms]]
method = "mirror_descent"
step_size = 1.1

[[algorithms]]
method = "gradient_descent"
step_size = "backtracking"

[stopping]
tol = 1e-7
max_iter = 120

[record]
points = 60
"""
CONTENT = (
    "SELECT id, key, experiment, version, config, status, reason, traceback, results, columns, trace "
    "FROM runs ORDER BY key"
)


@pytest.fixture(scope="session")
def config():
    return CONFIG


@pytest.fixture(scope="session")
def content():
    """Return everything in a store but timings and machine facts."""

    def read(path):
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            return connection.execute(CONTENT).fetchall()

    return read


@pytest.fixture(scope="session")
def finished(tmp_path_factory, config):
    """A store that one process filled without interruption."""
    from emmd.experiments.snr.run.sweep import run_sweep

    path = tmp_path_factory.mktemp("store") / "one.sqlite"
    summary = run_sweep(config, path)
    assert (summary.planned, summary.found, summary.done, summary.failed) == (144, 0, 144, 0)
    return path


@pytest.fixture
def emmd(monkeypatch, capsys):
    """Run the command line in this process; return exit code, stdout and stderr."""
    from emmd.data.fashion_mnist import DATA_DIR
    from emmd.experiments import cli

    # --data-dir sets it for this process and its workers: put back afterwards
    monkeypatch.setenv(DATA_DIR, "")

    def run(*words):
        monkeypatch.setattr("sys.argv", ["emmd", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return run
