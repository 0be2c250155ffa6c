"""The version stands in one place, `emmd.__version__`; what else tells it agrees."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import emmd

ROOT = Path(__file__).parents[2]


def test_the_version_stands_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "emmd.__version__"}


def test_the_installed_package_and_the_citation_tell_the_same():
    assert version("emmd") == emmd.__version__
    [cited] = re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == emmd.__version__
