"""`emmd verify --claims` and `--model-file`: what they take, and one sentence for what they do not."""

import json

import numpy as np
import pytest

CLAIM = """
from emmd.theory import Claim, Comparison, Kind, Sabotage

def measure(lab, wrong=0.0):
    yield Comparison(1.0 + wrong, {observed}, 1e-9, 1.0)

CLAIM = Claim("{name}-mine", "one is one", "1 = 1", "here", Kind.IDENTITY, measure,
              (Sabotage("off", {{"wrong": 0.5}}),))
"""
MODEL = "import emmd, numpy as np\nmodel = emmd.SymMoLinE({d})\n"
THETA = "theta0 = np.array([1.0, 0.5, 0.3, -0.2])\n"
PROBLEM = "X, y, _ = model.sample(np.ones(4), 200, 0)\nproblem = emmd.Problem(model, X, y)\n"


def write(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def mine(tmp_path):
    return write(tmp_path / "mine.py", CLAIM.format(name="Z1", observed="1.0"))


@pytest.fixture
def problem(tmp_path):
    return write(tmp_path / "problem.py", MODEL.format(d=2) + THETA + PROBLEM)


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 2))
    y = rng.choice([-1.0, 1.0], 80) * X[:, 0] + 0.3 * rng.standard_normal(80)
    rows = "\n".join(",".join(f"{value:.6f}" for value in row) for row in np.column_stack([X, y]))
    return write(tmp_path / "table.csv", f"u,v,y\n{rows}\n")


def records(out):
    return {record["claim"]: record for record in json.loads(out)}


def test_claims_of_a_file_join_those_that_are_asked_for(emmd, mine, problem):
    words = ("verify", "--claims", mine, "--model-file", problem, "--json", "-")
    code, out, _ = emmd(*words, "--claim", "E1")
    assert code == 0
    assert set(records(out)) == {"Z1-mine", "E1-fisher-identity"}
    code, out, _ = emmd(*words, "--claim", "Z1")
    assert set(records(out)) == {"Z1-mine"}
    mine_alone = records(out)["Z1-mine"]
    assert mine_alone["verdict"] == "holds"
    assert mine_alone["sabotages"][0]["verdict"] == "violated"
    code, out, _ = emmd(*words)
    assert {"Z1-mine", "C1-exact-decrease", "L1-em-rate"} <= set(records(out))


def test_on_shipped_problems_a_claim_from_outside_is_not_unexpected(emmd, mine):
    code, out, err = emmd("verify", "--claims", mine, "--claim", "Z1", "--model", "symmoline")
    assert code == 0
    assert "holds 7/7" in out
    assert "unexpected" not in err


def test_a_false_claim_from_outside_is_violated(emmd, tmp_path, problem):
    wrong = write(tmp_path / "wrong.py", CLAIM.format(name="Z2", observed="1.1"))
    code, out, _ = emmd("verify", "--claims", wrong, "--claim", "Z2", "--model-file", problem)
    assert code == 1
    assert "violated" in out
    assert f"emmd verify --claim Z2-mine --model-file {problem} --seed 0 --claims {wrong}" in out


def test_a_broken_file_is_listed_with_its_traceback_and_the_rest_runs(emmd, tmp_path, mine, problem):
    write(tmp_path / "broken.py", "def half(:\n")
    folder = tmp_path / "claims"
    folder.mkdir()
    mine.rename(folder / "mine.py")
    write(folder / "broken.py", "value = 1 / 0\n")
    words = ("verify", "--claims", folder, "--claim", "E1", "--model-file", problem)
    code, out, err = emmd(*words, "--claims", tmp_path / "broken.py", "--json", "-")
    assert code == 1
    assert {record["verdict"] for record in records(out).values()} == {"holds"}
    assert set(records(out)) == {"Z1-mine", "E1-fisher-identity"}
    assert "ZeroDivisionError: division by zero" in err
    assert "value = 1 / 0" in err
    assert "SyntaxError" in err


def test_claims_about_populations_come_from_files_too(emmd, tmp_path):
    text = CLAIM.format(name="Z3", observed="1.0").replace("0.5}),))", '0.5}),), scope="population")')
    path = write(tmp_path / "population.py", text)
    for more in ((), ("--claim", "E6")):
        code, out, _ = emmd(
            "verify", "--claims", path, "--model", "symmoline", "--claim", "Z3", *more, "--json", "-"
        )
        assert code == 0
        assert records(out)["Z3-mine"]["problem"] == "population"


@pytest.mark.parametrize(
    ("text", "with_data", "note"),
    [
        (MODEL.format(d=2) + THETA + PROBLEM, False, "defined in model.py"),
        (MODEL.format(d=2) + PROBLEM, False, "defined in model.py"),
        (MODEL.format(d=2) + THETA, False, "n = 1000 drawn from the model at theta0"),
        (MODEL.format(d=2), True, "80 rows, columns as they are"),
        (MODEL.format(d=2) + THETA + PROBLEM, True, "80 rows, columns as they are"),
        (MODEL.format(d=3), True, "80 rows, columns as they are, intercept added"),
    ],
)
def test_what_a_model_file_may_define(emmd, tmp_path, table, text, with_data, note):
    file = write(tmp_path / "model.py", text)
    data = ("--data", table, "--target", "y") if with_data else ()
    code, out, _ = emmd("verify", "--model-file", file, *data, "--claim", "E1", "--claim", "C1")
    assert code == 0, out
    assert f"symmoline model.py: {note}" in out


BAD = [
    ("", (), "--model-file must define problem (an emmd.Problem), or model (an emmd.Model)"),
    (MODEL.format(d=2), (), "--model-file must define theta0 beside model"),
    (PROBLEM.replace("model.", "") + "model = 3", (), "line 1: NameError: name 'sample' is not defined"),
    (
        "def half(:\n",
        (),
        "--model-file must be a file that can be imported, got model.py, line 1: SyntaxError",
    ),
    ("import emmd\nmodel = emmd.SymMoLinE(-1)\n", (), "line 2: ValueError: n_features must be at least 1"),
    (
        "import emmd\nmodel = emmd.SymMoLinE\ntheta0 = [1.0]\n",
        (),
        "model in model.py must be an emmd.Model, got",
    ),
    ("problem = 3\n", (), "problem in model.py must be an emmd.Problem, got 3 (int)"),
    (MODEL.format(d=2) + PROBLEM + "theta0 = [1.0]\n", (), "theta0 must have shape (4,), got (1,)"),
    (MODEL.format(d=2) + "theta0 = None\n", (), "theta must"),
    (MODEL.format(d=2) + PROBLEM, ("--model", "moe"), "--model must not be given beside --model-file"),
    (
        MODEL.format(d=5),
        ("--data", "table.csv", "--target", "y"),
        "X must have shape ('any', 5), got (80, 2)",
    ),
    (PROBLEM, ("--data", "table.csv"), "--data and --target must be given together"),
    (
        "from emmd import Problem\n" + MODEL.format(d=2) + PROBLEM + "del model\n",
        ("--data", "table.csv", "--target", "y"),
        "which --data needs; got model.py without model",
    ),
]


@pytest.mark.parametrize(("text", "more", "says"), BAD, ids=[says for *_, says in BAD])
def test_a_bad_model_file_is_one_sentence(emmd, tmp_path, table, monkeypatch, text, more, says):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "model.py", text)
    one_sentence(*emmd("verify", "--model-file", "model.py", "--claim", "E1", *more), says)


def one_sentence(code, out, err, says):
    assert code == 2
    assert says in err
    assert err.startswith("emmd: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out


def test_bad_claim_files_are_one_sentence(emmd, tmp_path, mine, problem):
    one_sentence(*emmd("verify", "--claim", mine), "give it to --claims")
    one_sentence(*emmd("verify", "--claim", "mine.py"), "give it to --claims")
    one_sentence(*emmd("verify", "--claims", problem), "--claims must hold a Claim object")
    one_sentence(
        *emmd("verify", "--claims", tmp_path / "nowhere.py"), "--claims must be a Python file or a folder"
    )
    one_sentence(*emmd("verify", "--model-file", tmp_path), "--model-file must be a Python file")
    twice = write(tmp_path / "twice.py", CLAIM.format(name="Z1", observed="1.0"))
    one_sentence(*emmd("verify", "--claims", mine, "--claims", twice), f"'Z1-mine' in {mine} and {twice}")
    known = write(
        tmp_path / "known.py", CLAIM.format(name="x", observed="1.0").replace("x-mine", "E1-fisher-identity")
    )
    one_sentence(*emmd("verify", "--claims", known), f"emmd.theory.claims.equivalence.e1_fisher and {known}")
