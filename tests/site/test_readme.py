"""The README fits a screen, its examples run, and its table is what `emmd verify` says."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_it_fits_a_screen():
    assert len(TEXT.split()) <= 600
    assert len(EXAMPLES) == 2
    assert "pip install" in TEXT
    assert "make verify" in TEXT
    assert "make test" in TEXT


@pytest.mark.parametrize("code", EXAMPLES, ids=["claim", "estimator"])
def test_an_example_is_short_and_runs(code, capsys):
    lines = [line for line in code.splitlines() if line]
    assert len(lines) <= 10
    exec(code, {"__name__": "__main__"})
    said = capsys.readouterr().out
    assert "violated" not in said
    assert said.count("\n") >= 4


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(links) > 10
    assert [link for link in links if "//" not in link and not (ROOT / link).exists()] == []


def rows():
    lines = TEXT.splitlines()
    (first,) = (k for k, line in enumerate(lines) if line.startswith(" ──"))
    return [re.split(r"  +", line.strip()) for line in lines[first + 1 : first + 7]]


def test_the_six_verdicts_are_those_that_are_written_down():
    written = ROOT / "experiments" / "cases" / "expected_verdicts.json"
    expected = json.loads(written.read_text(encoding="utf-8"))
    assert len(rows()) == 6
    for claim, model, problem, verdict, _, _, _, resolution, *_ in rows():
        found = {name: claims[claim] for name, claims in expected[model].items() if claim in claims}
        same = sum(said[0] == found[problem][0] for said in found.values())
        assert verdict == f"{found[problem][0]} {same}/{len(found)}".removesuffix(" 1/1")
        # a row shows the coarsest resolution of its problems
        coarsest = max(said[1] for said in found.values() if said[1] is not None)
        assert float(resolution) == pytest.approx(coarsest, rel=0.05)
