"""The examples in docstrings say what happens."""

import doctest
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import emmd
from emmd import theory

ROOT = Path(__file__).parents[2]
KNOWN = {"emmd": emmd, "np": np, "theory": theory}


def with_examples():
    for top, package in (("emmd", "emmd"), ("theory", "emmd.theory"), ("experiments", "emmd.experiments")):
        for path in sorted((ROOT / top).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                parts = path.relative_to(ROOT / top).with_suffix("").parts
                yield ".".join((package, *parts)).removesuffix(".__init__")


@pytest.mark.parametrize("module", list(with_examples()))
def test_the_examples_of_a_module(module):
    ran = doctest.testmod(import_module(module), extraglobs=KNOWN)
    assert ran.attempted > 0
    assert ran.failed == 0
