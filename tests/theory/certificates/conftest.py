"""Certificates that several tests look at: made once."""

import pytest

from emmd import theory
from tests.theory.certificates.attack import KINDS, sampled


@pytest.fixture(scope="session")
def made():
    """Return kind -> (problem, start, certificate)."""
    found = {}
    for kind in KINDS:
        problem, start = sampled(kind, snr_gate=3.0, n=150, d=2, seed=2)
        found[kind] = problem, start, theory.certify(problem, start)
        assert found[kind][2].certified, found[kind][2].reason
    return found
