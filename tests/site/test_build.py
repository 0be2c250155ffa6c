"""What builds the site: a missing extra is named, and a formula is converted or refused."""

import importlib.util
import runpy
import sys
from pathlib import Path

import pytest

from emmd import theory

DOCS = Path(__file__).parents[2] / "docs"


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with pytest.raises(SystemExit, match=r"needs jax: pip install 'emmd\[docs\]'"):
        runpy.run_path(str(DOCS / "conf.py"))


@pytest.fixture(scope="module")
def to_mathml():
    pytest.importorskip("latex2mathml")
    return runpy.run_path(str(DOCS / "_ext" / "mathml.py"))["to_mathml"]


def test_every_claim_can_be_set(to_mathml):
    for name, claim in theory.claims().items():
        assert to_mathml(claim.latex, "block").startswith("<math"), name


@pytest.mark.parametrize("latex", [r"\nosuchcommand x", r"\frac{1}{", r"x^{"])
def test_what_is_no_formula_is_refused(to_mathml, latex):
    with pytest.raises(ValueError, match="a formula must"):
        to_mathml(latex)
