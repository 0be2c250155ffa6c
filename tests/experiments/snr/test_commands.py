"""The command line of sweeps: plan, run, resume, report, export, and one sentence for what is wrong."""

import builtins
import json

import pandas as pd
import pytest

from emmd import load_runs, load_traces

TINY = """
name = "tiny"
figures = ["snr_basin"]
[[problems]]
model = "symmoline"
n = 100
d = 2
snr_expert = [2.0, 3.0]
snr_gate = 1.0
cosine = 0.3
[[starts]]
kind = "random"
count = 4
[[algorithms]]
method = "em"
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_check_prints_the_plan(emmd, tiny):
    code, out, _ = emmd("snr", "check", tiny)
    assert code == 0
    assert "tiny: 2 cells, 2 samples, 8 runs; about" in out
    code, out, _ = emmd("snr", "check", tiny, "--json", "-")
    plan = json.loads(out)
    assert (plan["cells"], plan["samples"], plan["runs"]) == (2, 2, 8)
    assert 0 < plan["seconds"] < 60
    assert 0 < plan["megabytes"] < 1


def test_run_resume_report_export(emmd, tiny, tmp_path):
    store = tmp_path / "tiny.sqlite"
    assert emmd("snr", "run", tiny, "--store", store, "--jobs", 1)[:2] == (
        0,
        f"8 runs: 0 were in {store}, 8 done now\n",
    )
    code, out, _ = emmd("snr", "run", tiny, "--store", store, "--jobs", 1, "--json", "-")
    assert (code, json.loads(out)) == (0, {"planned": 8, "found": 8, "done": 0, "failed": 0})
    code, out, _ = emmd("snr", "report", "--store", store, "--out", tmp_path / "report")
    assert code == 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Not drawn: no run starts at a distance from theta*." in page
    for file_format, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        if file_format == "parquet":
            pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
        folder = tmp_path / file_format
        assert emmd("snr", "export", "--store", store, "--out", folder, "--format", file_format)[0] == 0
        runs, traces = read(folder / f"runs.{file_format}"), read(folder / f"traces.{file_format}")
        assert runs.set_index("id")["loss"].equals(load_runs(store)["loss"])
        assert traces["loss"].equals(load_traces(store)["loss"])
        assert traces["run"].astype(str).equals(load_traces(store)["run"].astype(str))


def test_bad_input_exits_2_with_one_sentence(emmd, tiny, finished, tmp_path):
    file = tmp_path / "a file"
    file.write_text("text")
    store = tmp_path / "s.sqlite"
    bad = [
        (("snr", "run", "nowhere.toml", "--store", store), "CONFIG must be a readable TOML file or one of"),
        (("snr", "run", tiny), "--store"),
        (("snr", "run", tiny, "--store", store, "--jobs", 0), "--jobs"),
        (("snr", "run", tiny, "--store", file), "the store must be"),
        (("snr", "run", tiny, "--store", tmp_path), "--store must be a file in an existing folder"),
        (("snr", "report", "--store", tmp_path / "none", "--out", tmp_path), "no such file"),
        (("snr", "report", "--store", finished, "--out", file), "--out must be a folder"),
        (("snr", "export", "--store", finished, "--out", file), "--out must be a folder"),
        (
            ("snr", "export", "--store", finished, "--out", tmp_path, "--format", "xls"),
            "--format must be one of",
        ),
    ]
    for words, says in bad:
        code, out, err = emmd(*words)
        assert code == 2, words
        assert says in err
        assert err.startswith("emmd: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err + out
    assert not store.exists()


def test_parquet_without_pyarrow_is_one_sentence(emmd, finished, tmp_path, monkeypatch):
    real = builtins.__import__

    def no_arrow(name, *rest, **more):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_arrow)
    monkeypatch.setattr("pandas.io.parquet.get_engine", lambda engine: no_arrow("pyarrow"))
    code, _, err = emmd("snr", "export", "--store", finished, "--out", tmp_path, "--format", "parquet")
    assert code == 2
    assert "pip install 'emmd[parquet]'" in err


def test_a_plan_does_not_take_paths_to_last_until_their_limit(config):
    from dataclasses import replace

    from emmd.experiments.snr.config.read import parse
    from emmd.experiments.snr.plan.estimate import estimate
    from emmd.experiments.snr.plan.plan import make_plan

    def seconds(limit):
        plan = make_plan(parse(config.replace("max_iter = 120", f"max_iter = {limit}")))
        # gradient descent does go on
        em = [run for run in plan.runs if run.algorithm == {"method": "em"}]
        return estimate(replace(plan, runs=em)).seconds

    # the limit is 4000 times as far, and no path gets there
    assert seconds(2_000_000) < 100 * seconds(500)
