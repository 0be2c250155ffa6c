"""A small experiment, and what two stores must have in common."""

import sqlite3

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
max_iter = 300

[record]
points = 60
"""
CONTENT = (
    "SELECT runs.id, key, experiment, version, config, status, reason, traceback, results, columns, data "
    "FROM runs LEFT JOIN traces ON traces.run = runs.id ORDER BY key"
)


@pytest.fixture
def config():
    return CONFIG


@pytest.fixture
def content():
    """Everything in a store but timings and machine facts."""

    def read(path):
        connection = sqlite3.connect(path)
        try:
            return connection.execute(CONTENT).fetchall()
        finally:
            connection.close()

    return read
