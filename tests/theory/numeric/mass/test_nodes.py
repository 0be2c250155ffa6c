"""Counts of any size are added up: every count where they are few, strides past that."""

import numpy as np
import pytest

import emmd
from emmd.theory.lab import Lab
from emmd.theory.numeric.mass.nodes import nodes_of
from emmd.theory.numeric.mass.total import total_mass


@pytest.mark.parametrize("largest", [7.0, 1e5, 3e8])
def test_nodes_add_up_what_is_linear_in_the_count_exactly(largest):
    """The middle of a stride stands for all of it, and so does the middle one of three strides."""
    nodes = nodes_of("counts", np.array([0.0, largest]))
    whole = nodes.weights.sum()
    assert whole > 8.0 * largest
    for weights in (nodes.weights, nodes.coarse):
        assert weights.sum() == whole
        assert weights @ nodes.y == pytest.approx(whole * (whole - 1.0) / 2.0, rel=1e-12)
    assert len(nodes.y) < 1_000_000


def test_a_wrong_mass_is_seen_where_counts_are_in_strides():
    """Small counts are nodes one by one: no peak is too narrow there, and none is looked for below 0."""
    model, X = emmd.MixtureOfExperts(1, 2, family="poisson"), np.ones((60, 1))
    theta = model.pack(coef=[[12.0], [0.0]], gate=[[0.2]])
    lab = Lab(emmd.Problem(model, X, model.sample_y(theta, X, 0)), theta)
    right, wrong = total_mass(lab, theta, 0), total_mass(lab, theta, 0, apart=1e-6)
    assert abs(right.value - 1.0) <= right.error
    assert abs(wrong.value - 1.0) > wrong.error
