"""The rules that break code break what they say, one place at a time."""

from pathlib import Path

from tests.mutants import rules
from tests.mutants.calls import function_around, reaching, recorded
from tests.mutants.rules import places

SOURCE = """
def f(a, b, weights):
    Comparison(a, b, budget=a)
    return g(a, b) + weights * (a @ b) - b
"""


def test_every_rule_breaks_its_places():
    broken = {}
    for place in places(SOURCE, budgets=True):
        broken.setdefault(place.name, []).append(place.broken(SOURCE).strip().splitlines())
    ends = {name: sorted(lines[-1].split("return ")[1] for lines in each) for name, each in broken.items()}
    assert ends["flip"] == ["g(a, b) + weights * (a @ b) + b", "g(a, b) - weights * (a @ b) - b"]
    assert ends["drop"] == ["g(a, b) + weights * (a @ b)", "g(a, b) - b"]
    assert ends["double"] == [
        "g(a, b) + 2.0 * (weights * (a @ b)) - b",
        "g(a, b) + weights * (2.0 * (a @ b)) - b",
    ]
    assert ends["unweigh"] == ["g(a, b) + a @ b - b"]
    assert ends["swap"] == ["g(b, a) + weights * (a @ b) - b"]
    firsts = {name: {lines[1].strip() for lines in broken[name]} for name in ("widen", "silence", "triple")}
    assert firsts == {
        "widen": {"Comparison(a, b, budget=1000000.0 * a)"},
        "silence": {"Comparison(a, 0.0 * b, budget=a)"},
        "triple": {"Comparison(3.0 * a, b, budget=a)"},
    }


def test_a_part_is_run_again_where_it_calls_the_broken_function():
    with recorded() as calls:
        places(SOURCE)
    with recorded() as none:
        len(SOURCE)
    source = Path(rules.__file__).read_text()
    line = {name: k for k, text in enumerate(source.splitlines(), 1) for name in text.split("(")[:1]}
    called, uncalled = (function_around(source, line[name] + 1) for name in ("def places", "def constants"))
    parts, path = {"work": calls, "idle": none}, "tests/mutants/rules.py"
    assert reaching(parts, path, called) == ["work"]
    assert reaching(parts, path, uncalled) == []


def test_a_function_inside_another_counts_as_that():
    source = "def f():\n    def g():\n        return 1\n    return g\n"
    assert function_around(source, 3) == (1, 4)
