"""The gallery as a folder: names, sizes, and a file that is copied and changed."""

import sys
from pathlib import Path

import pytest

import emmd
from emmd.experiments.cases.gallery import QUICK, quick_names
from emmd.experiments.cases.shipped import known_models
from emmd.experiments.commands.verify import Request, run

NAMES = {
    "gaussian-mixture", "poisson-mixture", "multinomial-mixture", "mixed-regression", "student-t",
    "hidden-markov", "factor-analysis", "ppca", "censored-exponential", "probit", "missing-gaussian",
    "random-intercept", "deep-experts",
}  # fmt: skip

FILES = sorted(Path(emmd.gallery.__file__).parent.glob("*/[a-z]*.py"))


def test_the_names_are_the_files():
    assert set(emmd.gallery.names()) == NAMES
    assert {file.stem.replace("_", "-") for file in FILES} == NAMES
    assert set(known_models()) > NAMES | {"all", "moe"}
    assert set(QUICK) <= NAMES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_short_enough_to_be_copied(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 80


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="probit"):
        emmd.gallery.load("probbit")


def test_without_jax_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.setitem(sys.modules, "jax.numpy", None)
    monkeypatch.delitem(sys.modules, "emmd.gallery.mixtures.student_t", raising=False)
    with pytest.raises(ValueError, match=r"'student-t' needs JAX: pip install 'emmd\[jax\]'"):
        emmd.gallery.load("student-t")


def test_the_main_job_leaves_the_gallery_out_where_jax_is_missing(monkeypatch):
    monkeypatch.setattr("emmd.experiments.cases.gallery.find_spec", lambda name: None)
    assert quick_names() == ()


def test_a_copied_file_with_a_change_is_verified_as_a_model_file(tmp_path, capsys):
    """A factor too much in the M-step is found."""
    text = next(file for file in FILES if file.stem == "poisson_mixture").read_text(encoding="utf-8")
    text += "\n\nproblem, theta0 = load(n=60)\n"
    wrong = text.replace("np.log(sums / shares)", "np.log(1.01 * sums / shares)")
    codes = []
    for name, content in (("right", text), ("wrong", wrong)):
        file = tmp_path / f"{name}.py"
        file.write_text(content, encoding="utf-8")
        codes.append(run(Request(claims=["E3"], model_file=str(file))))
    assert codes == [0, 1]
    assert "violated" in capsys.readouterr().out
