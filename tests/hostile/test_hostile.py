"""Thousands of hostile calls of every public function: each is answered, or refused in one sentence."""

import os
from functools import partial

import numpy as np
import pytest

from emmd import Problem
from tests.hostile import fits, inferences, outward, problems, theories
from tests.hostile.judge import judge, tally
from tests.hostile.values import hostile

SOAK = bool(os.environ.get("EMMD_SOAK"))
CALLS = 40_000 if SOAK else 3_000
TWO_SPOILED = 0.1
FUNCTIONS = ("callback", "progress", "expression", "fixed_point_map")


def doors():
    """Return every door."""
    return [*problems.doors(), *fits.doors(), *inferences.doors(), *theories.doors(), *outward.doors()]


def draw(rng, known, shares):
    """Draw a door, and arguments of which one or two are spoiled; return also their names."""
    door = known[rng.choice(len(known), p=shares)]
    arguments = dict(door.valid())
    count = min(1 + (rng.random() < TWO_SPOILED), len(door.spoiled()))
    names = [str(name) for name in rng.choice(door.spoiled(), size=count, replace=False)]
    for name in names:
        arguments[name] = hostile(rng, arguments[name])
    return door, arguments, names


def faults(seed, calls):
    """Return the faults of hostile calls: kind, sentence, door, what was spoiled, number of the call."""
    rng, known = np.random.default_rng(seed), doors()
    shares = np.array([door.share for door in known])
    for number in range(calls):
        door, arguments, names = draw(rng, known, shares / shares.sum())
        if any(name in FUNCTIONS and callable(arguments[name]) for name in names):
            # what a function of the user's raises is the user's
            continue
        # another problem than the start was meant for is a legitimate one
        known_by = [*names, "theta0", "theta"] if isinstance(arguments.get("problem"), Problem) else names
        if "n_features" in names:
            # a legitimate number of another size makes columns and penalties wrong
            known_by = [*known_by, "expert_columns", "gate_columns", "expert_ridge", "gate_ridge"]
        for kind, sentence in judge(partial(door.call, **arguments), known_by, door.promised):
            yield kind, sentence, door.name, names, number


@pytest.mark.parametrize("door", doors(), ids=lambda door: door.name)
def test_a_door_answers_what_is_legitimate(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert judge(lambda: door.call(**door.valid()), [], door.promised) == []


@pytest.mark.soak
def test_hostile_calls_are_answered_or_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = list(faults(seed=2024, calls=CALLS))
    assert not found, (tally(found), found[:10])
