"""Parameters of K experts at given separations: every pair is alike, and what does not fit is refused."""

from itertools import combinations

import numpy as np
import pytest

import emmd
from emmd.models.mixture.separations import mixture_snr_parameters, simplex


@pytest.mark.parametrize("K", [2, 3, 4, 7])
def test_a_simplex_is_regular_and_centred(K):
    corners = simplex(K)
    np.testing.assert_allclose(corners.sum(axis=0), 0.0, atol=1e-15)
    gaps = [np.linalg.norm(a - b) for a, b in combinations(corners, 2)]
    np.testing.assert_allclose(gaps, 1.0, rtol=1e-14)


@pytest.mark.parametrize(
    ("K", "d"), [(2, 2), (2, 5), (3, 2), (3, 3), (3, 4), (4, 4), (4, 6), (5, 4)], ids=lambda n: str(n)
)
@pytest.mark.parametrize("cosine", [-1.0, 0.3, 1.0])
def test_every_pair_has_the_same_separations_and_angle(K, d, cosine):
    model = emmd.MixtureOfExperts(d, K, "gaussian", variance=4.0)
    named = model.unpack(mixture_snr_parameters(model, 3.0, 0.7, cosine))
    coef, gate = named["coef"], np.vstack([named["gate"], np.zeros(d)])
    for j, k in combinations(range(K), 2):
        experts, gates = coef[j] - coef[k], gate[j] - gate[k]
        assert np.linalg.norm(experts) == pytest.approx(3.0 * 2.0, rel=1e-14)
        assert np.linalg.norm(gates) == pytest.approx(0.7, rel=1e-14)
        assert experts @ gates == pytest.approx(cosine * 6.0 * 0.7, abs=1e-14)


def test_all_rows_of_classes_together_are_so_far_apart():
    model = emmd.MixtureOfExperts(4, 3, "categorical", n_classes=4)
    coef = model.unpack(mixture_snr_parameters(model, 2.0, 1.0, 0.0))["coef"]
    for j, k in combinations(range(3), 2):
        assert np.linalg.norm(coef[j] - coef[k]) == pytest.approx(2.0, rel=1e-14)


@pytest.mark.parametrize(
    ("model", "arguments", "says"),
    [
        (emmd.MixtureOfExperts(3, 5), (1.0, 0.0, 1.0), "n_features must be at least 4, for a simplex of 5"),
        (emmd.MixtureOfExperts(1, 2), (1.0, 1.0, 0.5), "n_features must be at least 2, for two simplices at"),
        (emmd.MixtureOfExperts(3, 2, gate="constant"), (1.0, 1.0, 1.0), "snr_gate must be 0 for a gate that"),
        (emmd.MixtureOfExperts(3, 2, gate_columns=[0]), (1.0, 1.0, 1.0), "model must let experts and gate"),
        (emmd.MixtureOfExperts(3, 2, "student_t"), (1.0, 1.0, 1.0), "family must have a scale for separ"),
        (emmd.MixtureOfExperts(3, 2), (-1.0, 1.0, 1.0), "snr_expert must not be negative"),
    ],
)
def test_what_cannot_be_had_is_refused(model, arguments, says):
    with pytest.raises(ValueError, match=says):
        mixture_snr_parameters(model, *arguments)
