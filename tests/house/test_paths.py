"""One EM step passes through few files and few frames before its first loop over rows."""

import json
import os
import subprocess

import pytest

SCRIPT = """
import json, sys
import numpy as np
import emmd

MODELS = {
    "symmoline": emmd.SymMoLinE(3),
    "symmologe": emmd.SymMoLogE(3),
    "categorical": emmd.MixtureOfExperts(3, 2, family="categorical", n_classes=3),
}
for family in ("gaussian", "bernoulli", "poisson", "gamma"):
    MODELS[family] = emmd.MixtureOfExperts(3, 2, family=family)


def traced(problem, theta):
    frames, files, first = [], [], None

    def profile(frame, event, argument):
        nonlocal first
        file = frame.f_code.co_filename
        if event == "call":
            inside = frame.f_globals.get("__name__", "").startswith("emmd.") and file != "<string>"
            # what is called for the rows of one block, by a loop over blocks
            if first is None and any(part in file for part in ("kernels/linear/", "kernels/maths/softmax")):
                looping = file.endswith("linear/predictors.py") and frame.f_code.co_name.endswith("_rows")
                first = sum(frames) + looping, len(set(files) | {file})
            frames.append(inside)
            files.extend([file] * inside)
        elif event == "return" and frames:
            frames.pop()

    sys.setprofile(profile)
    problem.em_step(theta)
    sys.setprofile(None)
    return *first, len(set(files))


found = {}
for name, model in MODELS.items():
    rng = np.random.default_rng(0)
    theta = 0.3 * rng.standard_normal(model.n_params)
    X, y, _ = model.sample(theta, 300, 1)
    problem = emmd.Problem(model, X, y)
    # once before: what is kept from one step for the next is not traced
    problem.em_step(theta)
    found[name] = traced(problem, theta)
print(json.dumps(found))
"""
WHOLE = {"symmoline": 18, "symmologe": 18, "gaussian": 20}
"""Files that a whole step passes through, where a fused kernel makes it; without one 29."""


@pytest.fixture(scope="module")
def steps():
    import sys

    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, text=True, capture_output=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_every_built_in_model_is_traced(steps):
    assert len(steps) == 7


@pytest.mark.parametrize(
    "name", ["symmoline", "symmologe", "gaussian", "bernoulli", "poisson", "gamma", "categorical"]
)
def test_the_first_loop_over_rows_is_near(steps, name):
    depth, files, whole = steps[name]
    assert 3 <= depth <= 8
    assert 3 <= files <= 13
    assert files < whole <= WHOLE.get(name, 29)
