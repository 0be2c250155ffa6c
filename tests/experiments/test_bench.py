"""`emmd bench`: rows by name, JSON that programs can read, one sentence for bad input."""

import json
import os
import subprocess
import time

import pytest

from emmd.experiments.bench.measurements.cold_start import _seconds

KEYS = {
    "row",
    "measurement",
    "problem",
    "baseline",
    "ratio",
    "meaning",
    "emmd_seconds",
    "baseline_seconds",
    "compile_seconds",
    "difference",
    "tolerance",
    "refused",
    "note",
}


def test_json_has_a_record_per_row_and_baseline(emmd):
    words = ("bench", "--quick", "--baseline", "numpy", "--baseline", "dsyrk", "--json", "-")
    code, out, _ = emmd(*words, "--row", "iteration", "--row", "acceleration/anderson", "--row", "one-run")
    found = json.loads(out)
    assert code == 0
    assert set(found) == {"machine", "absent", "records"}
    assert {record["measurement"] for record in found["records"]} == {"iteration", "acceleration", "small"}
    for record in found["records"]:
        assert set(record) == KEYS
        assert record["refused"] == ""
        assert set(record["ratio"]) == {"median", "low", "high", "count"}
        assert 0 < record["ratio"]["low"] <= record["ratio"]["median"] <= record["ratio"]["high"]
    rivals = [record for record in found["records"] if record["baseline"] == "vectorised NumPy"]
    assert all(record["difference"] <= record["tolerance"] for record in rivals)
    floors = [record for record in found["records"] if "dsyrk" in record["baseline"]]
    assert len(floors) == 5
    assert {record["meaning"] for record in floors} == {"times the floor"}


def test_rows_that_need_other_processes_or_threads(emmd):
    words = ("bench", "--quick", "--large", "--row", "large", "--row", "threads", "--json", "-")
    code, out, _ = emmd(*words, "--baseline", "numpy")
    records = {record["measurement"]: record for record in json.loads(out)["records"]}
    names = [record["row"] for record in json.loads(out)["records"]]
    assert code == 0
    assert "peak memory" in records["large"]["note"]
    assert [name for name in names if name.startswith("large")] == [
        "large/symmoline-200000x10-run",
        "large/symmoline-200000x10-map",
        "large/symmoline-200000x10-read",
    ]
    assert all(record["ratio"]["median"] > 0 for record in records.values())


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor has one thread")
def test_threads_are_told_against_one_and_where_rows_are_shared_against_steps_apart(emmd):
    code, out, _ = emmd("bench", "--quick", "--row", "threads", "--baseline", "numpy", "--json", "-")
    records = json.loads(out)["records"]
    assert code == 0
    assert [(record["row"], record["baseline"]) for record in records] == [
        ("threads/symmoline-500x2", "one thread"),
        ("threads/symmoline-16384x2", "one thread"),
        ("threads/symmoline-16384x2", "steps apart"),
    ]


def test_a_start_is_timed_to_the_line_it_prints():
    began = time.perf_counter()
    taken = _seconds("import time; print('ready', flush=True); time.sleep(2)")
    assert 0 < taken < time.perf_counter() - began - 1


@pytest.mark.parametrize(
    "script", ["print('ready', flush=True); raise SystemExit(3)", "print('lost')", "pass"]
)
def test_a_start_without_a_result_is_not_timed(script):
    with pytest.raises(subprocess.CalledProcessError):
        _seconds(script)


def test_a_table_for_people(emmd):
    code, out, _ = emmd("bench", "--quick", "--baseline", "numpy", "--row", "iteration/symmoline")
    assert code == 0
    assert "vectorised NumPy" in out
    assert "times faster" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--row", "nothing"), ["--row", "'nothing'", "iteration/"]),
        (("--baseline", "numpi"), ["--baseline", "did you mean 'numpy'"]),
    ],
)
def test_bad_input_is_one_sentence(emmd, words, said):
    code, out, err = emmd("bench", "--quick", *words)
    assert code == 2
    assert out == ""
    assert all(text in err for text in said)
    assert err.count("\n") == 1
