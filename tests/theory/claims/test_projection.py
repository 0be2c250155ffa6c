"""E3 where the generic solver fails: the gradient of Q alone tells a false dual step."""

from dataclasses import replace

import numpy as np

import emmd
from emmd import theory
from emmd.algorithms.projected_mirror_descent import ProjectedMirrorDescent
from emmd.core.status import Status


def test_false_steps_are_refuted_without_the_generic_solver(monkeypatch):
    step = ProjectedMirrorDescent.step
    monkeypatch.setattr(
        ProjectedMirrorDescent, "step", lambda *rest: replace(step(*rest), failure=Status.INNER_FAILED)
    )
    model, X = emmd.MixtureOfExperts(2, 2), np.random.default_rng(0).standard_normal((60, 2))
    theta = model.pack(coef=[[1.0, -0.5], [-0.4, 0.8]], dispersion=[0.0, 0.2], gate=[[0.3, -0.2]])
    [record] = theory.verify(emmd.Problem(model, X, model.sample_y(theta, X, 1)), theta, ["E3"])
    assert record.verdict == "holds"
    assert {each.verdict for each in record.sabotages} == {"violated"}
