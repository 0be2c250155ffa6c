"""Plug-ins come from folders, packages and the user's files; what is broken stops nothing else."""

import sys

import pytest

import emmd
from emmd.core.discover import Found, discover, discover_files, import_file
from emmd.core.loop.algorithm import Algorithm
from emmd.theory import Claim

ALGORITHM = """
from emmd import Algorithm
class {kind}(Algorithm):
    name = "{name}"
    def step(self, problem, theta, memory): ...
"""
CLAIM = """
from emmd.theory import Claim, Kind
CLAIM = Claim("{name}", "s", "l", "here", Kind.IDENTITY, lambda lab: (), ())
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package: a module and what its entry points name."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    discover.cache_clear()

    def package(name, text, points):
        (site / f"{name}.py").write_text(text)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)

    yield package
    discover.cache_clear()
    for name in [name for name in sys.modules if name.startswith("outside_")]:
        del sys.modules[name]


def algorithms():
    return discover("emmd.algorithms", Algorithm, "emmd.algorithms", classes=True)


@pytest.mark.parametrize("value", ["outside_one:Mine", "outside_one"])
def test_an_entry_point_names_a_plug_in_or_a_module_that_holds_some(install, value):
    text = ALGORITHM.format(kind="Mine", name="mine") + "from emmd.algorithms.em import EM\n"
    install("outside_one", text, f"[emmd.algorithms]\nany = {value}\n")
    found = algorithms()
    assert {"mine", "em", "squarem"} <= set(found.plugins)
    assert "outside_one" in found.places["mine"]
    assert found.places["em"] == "emmd.algorithms.em"
    assert isinstance(emmd.make_algorithm("mine"), found.plugins["mine"])


def test_a_broken_package_is_told_where_its_name_is_asked_for(install):
    install(
        "outside_two", "raise RuntimeError('half written')\n", "[emmd.algorithms]\ntwo = outside_two:Two\n"
    )
    assert "half written" in "".join(algorithms().broken.values())
    assert emmd.make_algorithm("em").name == "em"
    with pytest.raises(
        ValueError, match=r"method must be one of .*outside_two:Two.*RuntimeError: half written"
    ):
        emmd.make_algorithm("two")


@pytest.mark.parametrize("value", ["math:pi", "math", "emmd.core.loop.algorithm:Algorithm"])
def test_an_entry_point_to_something_else_gets_one_sentence(install, value):
    install("outside_three", "", f"[emmd.algorithms]\npi = {value}\n")
    [sentence] = algorithms().broken.values()
    assert sentence.startswith(
        f"{value} (entry point 'pi' of emmd.algorithms) must be or hold a subclass of "
    )
    assert "\n" not in sentence


def test_two_plug_ins_of_one_name_are_one_error_with_both_places(install, tmp_path):
    install(
        "outside_four",
        ALGORITHM.format(kind="Mine", name="em"),
        "[emmd.algorithms]\nem = outside_four:Mine\n",
    )
    with pytest.raises(ValueError, match=r"^name .*'em' in emmd\.algorithms\.em and outside_four:Mine"):
        algorithms()
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(CLAIM.format(name="Z1-same"))
    with pytest.raises(ValueError, match=r"'Z1-same' in .*a\.py and .*b\.py"):
        discover_files("--claims", tmp_path, Claim)


def test_one_plug_in_found_twice_is_no_clash(tmp_path):
    (tmp_path / "a.py").write_text(CLAIM.format(name="Z1-once"))
    once = discover_files("--claims", tmp_path, Claim)
    assert (once | discover_files("--claims", tmp_path / "a.py", Claim)).plugins == once.plugins


def test_a_folder_of_the_users(tmp_path):
    (tmp_path / "good.py").write_text("import beside\n" + CLAIM.format(name="Z1-good"))
    (tmp_path / "beside.py").write_text("VALUE = 1\n")
    (tmp_path / "bad.py").write_text("1 / 0\n")
    (tmp_path / "ends.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "_private.py").write_text("raise RuntimeError\n")
    found = discover_files("--claims", tmp_path, Claim)
    assert list(found.plugins) == ["Z1-good"]
    assert {path.rpartition("/")[2]: text.splitlines()[-1] for path, text in found.broken.items()} == {
        "bad.py": "ZeroDivisionError: division by zero",
        "ends.py": "SystemExit: 3",
    }


def test_a_users_file_takes_no_other_modules_place(tmp_path):
    file = tmp_path / "theory.py"
    file.write_text(CLAIM.format(name="Z1-theory"))
    assert import_file(file) is import_file(file)
    assert import_file(file).CLAIM.id == "Z1-theory"
    assert sys.modules["emmd.theory"] is emmd.theory


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("empty.py", "", "--claims must hold a Claim object at the top level, got none in "),
        ("class.py", "from emmd.theory import Claim\n", "--claims must hold a Claim object"),
        ("text.py", "CLAIM = 'one is one'\n", "--claims must hold a Claim object"),
        ("claim.txt", "", "--claims must be a Python file or a folder, got "),
    ],
)
def test_a_file_without_a_plug_in_is_one_sentence(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=says) as caught:
        discover_files("--claims", tmp_path / name, Claim)
    assert "\n" not in str(caught.value)


def test_what_is_no_path_is_named():
    with pytest.raises(TypeError, match="--claims must be a path"):
        discover_files("--claims", 3, Claim)


def test_joining_with_nothing_changes_nothing():
    found = algorithms()
    assert (found | Found()) == found == (Found() | found)
