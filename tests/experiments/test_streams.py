"""Outputs that are full, closed or no longer read; places that cannot be written to; Ctrl-C."""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from emmd import load_runs
from tests.generators.hostile_names import write_table

ROOT = Path(__file__).parents[2]
MAIN = "import sys; sys.argv[0] = 'emmd'; from experiments.cli import main; main()"
unix = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


@pytest.fixture
def fit(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(40)
    path = write_table(tmp_path / "t.csv", rng, ["x", "y"], [x, x + rng.standard_normal(40)])
    return ["fit", str(path), "--target", "y", "--experts", "2", "--family", "gaussian", "--starts", "1"]


def start(python, words, **options):
    return subprocess.Popen([python, "-c", MAIN, *words], cwd=ROOT, text=True, **options)


def ended(python, words, **options):
    process = start(python, words, stderr=subprocess.PIPE, **options)
    err = process.communicate(timeout=120)[1]
    return process.returncode, err


@unix
@pytest.mark.parametrize("more", [["--json", "-"], ["--json", "FILE"]])
def test_a_full_standard_output_is_said_and_files_are_written_before(python, fit, tmp_path, more):
    file = tmp_path / "fit.json"
    words = fit + [str(file) if word == "FILE" else word for word in more]
    with open("/dev/full", "w") as full:
        code, err = ended(python, words, stdout=full)
    assert (code, err) == (
        2,
        "emmd: standard output must take what is written, got: [Errno 28] No space left on device\n",
    )
    assert file.exists() == ("FILE" in more)


@pytest.mark.parametrize("words", [["snr"], ["FIT"]])
def test_a_reader_that_has_left_changes_nothing(python, fit, words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        assert ended(python, fit if words == ["FIT"] else words, stdout=pipe) == (0, "")


@unix
def test_a_closed_standard_output_is_refused(python, fit, tmp_path):
    words = [*fit, "--json", str(tmp_path / "fit.json")]
    code, err = ended(python, words, preexec_fn=lambda: os.close(1))
    assert (code, err) == (2, "emmd: standard output must be open, got a closed one\n")
    assert not (tmp_path / "fit.json").exists()


@unix
def test_standard_error_may_be_full_or_closed(python, fit):
    with open("/dev/full", "w") as full:
        for options in ({"stderr": full}, {"preexec_fn": lambda: os.close(2)}):
            process = start(python, [*fit, "--family", "poisson"], stdout=subprocess.PIPE, **options)
            assert process.communicate(timeout=120)[0] == ""
            assert process.returncode == 2


COMMANDS = {
    "verify": ["--json", "--out"],
    "rates --model m --n 1 --d 1 --snr-expert 1 --snr-gate 1 --cosine 1": ["--json"],
    "population --model m --snr-expert 1 --snr-gate 1 --cosine 1 --d 1": ["--json", "--out"],
    "fit FILE --target y --experts 2 --family gaussian": ["--json", "--out"],
    "bench": ["--json"],
    "snr check CONFIG": ["--json"],
    "snr run CONFIG --store s": ["--json"],
    "snr report --store s": ["--out"],
    "snr export --store s": ["--out"],
}
OPTIONS = [(words, option) for words, options in COMMANDS.items() for option in options]


@pytest.mark.parametrize(("words", "option"), OPTIONS)
def test_where_nothing_can_be_written_nothing_is_begun(emmd, tmp_path, words, option):
    """The names of models, files and stores are wrong as well: what is said first was looked at first."""
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    places = ["file/x", "x" * 300, "nowhere/x"] if option == "--json" else ["file/x", "x" * 300, "file"]
    for place in [*places, *(["folder"] if option == "--json" else [])]:
        code, out, err = emmd(*words.split(), option, tmp_path / place)
        assert (code, out) == (2, "")
        assert err.startswith(f"emmd: {option} must be a ")
        assert err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
    assert (tmp_path / "file").read_text() == "kept"


def test_a_place_that_is_tried_stays_as_it_was(emmd, tmp_path):
    (tmp_path / "old.json").write_text("kept")
    words = ["fit", "nowhere.csv", "--target", "y", "--experts", 2, "--family", "gaussian"]
    places = [("--json", "old.json"), ("--json", "new.json"), ("--out", ".")]
    for option, place in places:
        code, _, err = emmd(*words, option, tmp_path / place)
        assert code == 2
        assert err.startswith("emmd: nowhere.csv must be")
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "kept"


def test_a_file_may_go_into_the_folder_that_is_made(emmd, fit, tmp_path):
    out = tmp_path / "new" / "folder"
    assert emmd(*fit, "--json", out / "fit.json", "--out", out)[0] == 0
    assert {path.name for path in out.iterdir()} >= {"fit.json", "model.json"}


def test_an_alphabet_without_the_names_letters_is_no_error(python, tmp_path):
    path = write_table(tmp_path / "t.csv", np.random.default_rng(0), ["µ 温", "y"], [range(9), range(9)])
    words = ["fit", str(path), "--target", "y", "--experts", "2", "--family", "gaussian", "--starts", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = start(python, words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "\\xb5 \\u6e29" in out


@pytest.mark.parametrize("words", [[], ["snr"]])
def test_a_group_alone_shows_its_help(emmd, words):
    code, out, err = emmd(*words)
    assert (code, err) == (0, "")
    assert "Usage: " in out
    assert "run" in out


def test_a_long_sentence_keeps_both_ends(emmd, tmp_path):
    path = write_table(tmp_path / "t.csv", np.random.default_rng(0), ["x" * 9000, "y"], [[1.0], [2.0]])
    code, _, err = emmd("fit", path, "--target", "z", "--experts", 2, "--family", "gaussian")
    assert code == 2
    assert err.startswith("emmd: --target must be one of xxx")
    assert err.endswith("got 'z' (str)\n")
    assert len(err) < 1100


SWEEP = """
name = "long"
[[problems]]
model = "symmologe"
n = 500
d = 2
snr_expert = 2.0
snr_gate = 1.0
cosine = 0.3
[[starts]]
kind = "random"
count = 20000
[[algorithms]]
method = "em"
"""


def kept(store):
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
            return connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


@unix
@pytest.mark.parametrize(("jobs", "times"), [(1, 1), (2, 1), (2, 3)])
def test_ctrl_c_in_a_sweep_says_what_is_kept_and_how_to_go_on(python, tmp_path, jobs, times):
    config, store = tmp_path / "long.toml", tmp_path / "s.sqlite"
    config.write_text(SWEEP)
    words = ["snr", "run", str(config), "--store", str(store), "--jobs", str(jobs)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(python, words, start_new_session=True, **pipes)
    until = time.monotonic() + 100
    while not kept(store) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == ""
    assert err.count("\n") == 1
    assert f"runs are kept in {store}, the same command goes on from there" in err
    assert 0 < len(load_runs(store)) < 20000
    assert process.returncode == 130
    if times == 1:
        assert err.startswith(f"emmd: interrupted; {len(load_runs(store))} finished runs")


FINALIZER = """
import os, signal, time
from emmd.experiments.console.streams import Interrupts

class Slow:
    def __del__(self):
        print("finalizing", flush=True)
        time.sleep(60)

try:
    with Interrupts().listening():
        Slow()
        time.sleep(60)
except KeyboardInterrupt:
    print("stopped")
"""


@unix
def test_ctrl_c_in_a_finalizer_is_not_lost(python):
    # where Python drops what a handler raises, as it does where compiled code calls it
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([python, "-c", FINALIZER], cwd=ROOT, text=True, **pipes)
    assert process.stdout.readline() == "finalizing\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=50) == ("stopped\n", "")


def test_ctrl_c_elsewhere_is_one_word(emmd, fit, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("emmd.experiments.commands.fit.read_table", interrupt)
    assert emmd(*fit) == (130, "", "emmd: interrupted\n")
