"""The command line: exit codes, one sentence for bad input, JSON that programs can read."""

import csv
import html
import json
import os
import subprocess

import numpy as np
import pytest

from emmd.experiments.commands.verify import Request
from emmd.experiments.report.verify import verify_page
from emmd.theory import Record, Verdict

KEYS = {
    "claim",
    "model",
    "problem",
    "kind",
    "verdict",
    "predicted",
    "observed",
    "slack",
    "error_budget",
    "sabotages",
}
RATES = ["rates", "--model", "symmoline", "--n", "400", "--d", "3", "--snr-expert", "2", "--snr-gate", "1"]


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def mixture(tmp_path):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((150, 2)) * [1e6, 1.0]
    y = np.where(rng.random(150) < 0.5, 1, -1) * (X @ [2e-6, 1.0]) + 0.3 * rng.standard_normal(150)
    return write(tmp_path / "mixture.csv", ["u", "v", "y"], np.column_stack([X, y]).tolist())


@pytest.fixture
def labels(tmp_path):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((200, 2))
    y = (rng.random(200) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    return write(
        tmp_path / "labels.csv", ["u", "v", "y"], [[*row, label] for row, label in zip(X.tolist(), y)]
    )


def test_verify_prints_json_for_programs(emmd):
    code, out, _ = emmd("verify", "--model", "symmoline", "--claim", "C1", "--claim", "L1", "--json", "-")
    records = json.loads(out)
    assert code == 0
    assert {record["claim"] for record in records} == {"C1-exact-decrease", "L1-em-rate"}
    assert {record["problem"] for record in records} >= {"diabetes"}
    for record in records:
        assert set(record) >= KEYS
        assert record["verdict"] == "holds"
        assert {sabotage["verdict"] for sabotage in record["sabotages"]} == {"violated"}
        assert record["reproduce"].startswith("emmd verify --claim")


def test_verify_on_the_users_numbers_and_labels(emmd, mixture, labels):
    code, out, _ = emmd("verify", "--data", mixture, "--target", "y")
    assert code == 0
    assert "symmoline mixture.csv" in out
    assert "standardised, intercept added" in out
    code, out, _ = emmd("verify", "--data", labels, "--target", "y", "--claim", "E4")
    assert code == 0
    assert "symmologe labels.csv" in out
    assert "0/1 read as -1/+1" in out


def test_same_seed_same_numbers(emmd):
    words = ("verify", "--model", "symmologe", "--claim", "C4", "--seed", "7", "--json", "-")
    assert emmd(*words)[1] == emmd(*words)[1]


def test_a_violated_claim_exits_1_with_a_counter_example_and_a_command(emmd, monkeypatch):
    # the code under test is broken on purpose: a divergence that is 2 % too large
    def too_large(self, design, u, v):
        return 0.51 * float((u - v) @ design.second_moment @ (u - v))

    monkeypatch.setattr("emmd.fits.potentials.Quadratic.divergence", too_large)
    # other processes would run the code as it is
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    code, out, _ = emmd("verify", "--model", "symmoline", "--claim", "C1")
    assert code == 1
    assert "violated" in out
    assert "theta_t = [" in out
    assert "emmd verify --claim C1-exact-decrease --model symmoline --seed 0" in out


def test_out_writes_figures_and_verdicts(emmd, mixture, tmp_path):
    code, _, _ = emmd(
        "verify", "--data", mixture, "--target", "y", "--claim", "C1", "--out", tmp_path / "figures"
    )
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert code == 0
    assert {
        "symmoline-mixture-csv-convergence.png",
        "symmoline-mixture-csv-spectrum.pdf",
        "symmoline-slack.png",
        "verdicts.json",
        "index.html",
    } <= written
    assert all(path.stat().st_size > 500 for path in (tmp_path / "figures").iterdir())


def test_the_page_holds_counter_examples_with_their_commands_and_nothing_from_elsewhere(mixture, tmp_path):
    request = Request(data=str(mixture), target="y", out=str(tmp_path))
    violated = Record(
        "C1-exact-decrease",
        "the statement",
        "symmoline",
        "<b>",
        "identity",
        Verdict.VIOLATED,
        predicted=1.0,
        observed=2.0,
        where={"theta_t": np.array([0.1, 1 / 3])},
    )
    page = verify_page([], [violated], [], request)
    assert f"<h1>Claims on {mixture}</h1>" in page
    assert "theta_t = [0.1" in page
    assert "0.3333333333333333" in page
    assert html.escape(request.command("C1-exact-decrease", "symmoline")) in page
    assert '<span class="bad">violated</span>' in page
    assert "&lt;b&gt;" in page
    assert "<script" not in page
    assert "http" not in page


def test_out_draws_k_experts_too(emmd, mixture, tmp_path):
    words = ["--data", mixture, "--target", "y", "--model", "moe", "--claim", "E1"]
    code, _, _ = emmd("verify", *words, "--out", tmp_path / "figures")
    assert code == 0
    assert (tmp_path / "figures" / "moe-mixture-csv-convergence.png").stat().st_size > 10_000


def test_rates_agree(emmd):
    code, out, _ = emmd(*RATES, "--cosine", "0.2", "--seed", "1", "--json", "-")
    lines = json.loads(out)
    assert code == 0
    assert [line["algorithm"] for line in lines] == [
        "em",
        "mirror_descent",
        "gradient_em",
        "gradient_descent",
    ]
    for line in lines:
        assert line["observed"] == pytest.approx(line["predicted"], rel=1e-4)
        assert abs(line["observed"] - line["predicted"]) <= line["observed_error"]
        assert abs(line["path_rate"] - line["predicted"]) <= line["path_error"]


BAD = [
    (("verify", "--claim", "C9"), "claims must be one of"),
    (("verify", "--model", "symmolin"), "did you mean 'symmoline'"),
    (("verify", "--data", "nowhere.csv", "--target", "y"), "nowhere.csv must be a readable CSV file"),
    (("verify", "--data", "nowhere.csv"), "--data and --target must be given together"),
    (("verify", "--seed", "x"), "seed"),
    (("verify", "--nonsense"), "--nonsense"),
    (("nonsense",), "nonsense"),
    ((*RATES, "--cosine", "2"), "cosine must be between -1 and 1"),
    ((*RATES, "--cosine", "0", "--snr-expert", "-1"), "snr_expert must not be negative"),
    ((*RATES, "--cosine", "nan"), "cosine must be finite"),
    ((*RATES, "--cosine", "0", "--algorithm", "emm"), "did you mean 'em'"),
    ((*RATES, "--cosine", "0", "--n", "0"), "n must be at least 1"),
    ((*RATES, "--cosine", "0", "--d", "1"), "cosine must be -1 or 1"),
    (RATES, "cosine"),
]


@pytest.mark.parametrize(("words", "says"), BAD, ids=[" ".join(words[:3]) + says[:12] for words, says in BAD])
def test_bad_input_exits_2_with_one_sentence(emmd, words, says):
    code, out, err = emmd(*words)
    assert code == 2
    assert says in err
    assert err.startswith("emmd: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out


TABLES = [
    ("u,v,y\n1,2,3\n1,2\n", "line 3 must have 3 values, got 2"),
    ("u,v,y\n1,2,3\n1,,3\n", "line 3, column 'v' must be a number or a category, got nothing"),
    ("u,v,y\n1,red,3\n", "line 2, column 'v' must be a number or one of several categories, got 'red'"),
    ("u,v,y\n1,nan,3\n", "column 'v' must have a value in some row"),
    ("u,v,y\n", "must have a header and at least one row"),
    ("", "must have a header and at least one row"),
    ("u,v,t\n1,2,3\n2,3,1\n", "--target must be one of"),
    ("y\n1\n2\n", "must have a feature column"),
    ("u,u,y\n1,2,3\n3,1,2\n", "must have distinct column names"),
    ("u,v,y\n1,2,3\n1,3,4\n1,4,1\n", "constant column 'u'"),
    ("u,v,y\n1,2,3\n2,4,4\n3,6,1\n4,8,0\n", "dependence among"),
    ("u,v,y\n1,2,7\n2,5,7\n3,6,7\n", "must vary"),
    ("u,v,y\n1,2,1\n2,5,2\n3,6,2\n", "labels -1/+1 (or 0/1)"),
]


@pytest.mark.parametrize(("text", "says"), TABLES, ids=[says[:30] for _, says in TABLES])
def test_bad_tables_exit_2_with_one_sentence(emmd, tmp_path, text, says):
    path = tmp_path / "table.csv"
    path.write_text(text)
    code, _, err = emmd("verify", "--data", path, "--target", "y")
    assert code == 2
    assert says in err
    assert err.count("\n") == 1


def test_help_needs_no_heavy_import(python):
    heavy = "('numba', 'scipy', 'sympy', 'numpy')"
    script = f"import sys, experiments.cli; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_version_is_told(emmd, python):
    import emmd as package

    assert emmd("--version") == (0, f"emmd {package.__version__}\n", "")
    ran = subprocess.run([python, "-m", "emmd", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"emmd {package.__version__}\n"


@pytest.mark.parametrize("words", [(), ("snr",)])
def test_a_group_alone_prints_its_help(emmd, words):
    code, out, err = emmd(*words)
    assert code == 0
    assert err == ""
    assert "Usage: emmd " + " ".join(words) in out
    assert ("report" if words else "verify") in out


def test_the_shell_completes_commands_and_options(python):
    def completed(*typed):
        asked = {
            "_EMMD_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(typed),
            "COMP_CWORD": str(len(typed) - 1),
        }
        words, environment = [python, "-m", "emmd"], {**os.environ, **asked}
        return subprocess.run(
            words, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()

    assert completed("emmd", "ver") == ["verify"]
    assert completed("emmd", "verify", "--cl") == ["--claim", "--claims", "--classes"]
    assert completed("emmd", "snr", "re") == ["report"]
