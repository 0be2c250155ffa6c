"""Fixtures shared by all tests."""

import sys

import pytest


@pytest.fixture
def python():
    """The interpreter that runs the tests."""
    return sys.executable
