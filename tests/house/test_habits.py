"""The version stands in one place; hooks, changelog and metadata agree with it and with what CI runs."""

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


def test_pre_commit_runs_what_make_test_runs_first_and_names_no_host():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    makefile = (ROOT / "Makefile").read_text()
    [steps] = re.findall(r"^test: (.+)$", makefile, re.MULTILINE)
    assert re.findall(r"entry: make (\w+)", hooks) == steps.split()
    assert "repo: local" in hooks
    assert "http" not in hooks


def test_the_changelog_has_a_place_for_what_is_new():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[0] == "[Unreleased]"
