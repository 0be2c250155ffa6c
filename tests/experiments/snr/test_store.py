"""Unusable stores: one sentence, and the file as it was."""

import sqlite3
import struct
import subprocess
from contextlib import closing

import pandas as pd
import pytest

from emmd import load_runs, load_traces
from emmd.experiments.snr.config.read import parse
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.run.execute import execute
from emmd.experiments.snr.run.sweep import Options, run_sweep
from emmd.experiments.snr.store.store import writing


def other_database(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.commit()


def text(path):
    path.write_text("these are my notes, not a store\n" * 40)


@pytest.fixture
def damaged(finished, tmp_path):
    """A store whose pages in the middle were overwritten."""
    data = bytearray(finished.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8192] = bytes(8192)
    path = tmp_path / "damaged.sqlite"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("make", [other_database, text])
def test_a_foreign_file_is_refused_and_left_alone(config, tmp_path, make):
    path = tmp_path / "foreign"
    make(path)
    before = path.read_bytes()
    for use in (lambda: run_sweep(config, path), lambda: load_runs(path), lambda: load_traces(path)):
        with pytest.raises(ValueError, match="the store must be"):
            use()
    assert path.read_bytes() == before
    assert {entry.name for entry in tmp_path.iterdir()} == {"foreign"}


def test_a_damaged_store_is_refused_and_left_alone(config, damaged):
    before = damaged.read_bytes()
    for use in (lambda: run_sweep(config, damaged), lambda: load_runs(damaged)):
        with pytest.raises(ValueError, match="undamaged"):
            use()
    assert damaged.read_bytes() == before


@pytest.mark.parametrize("column", ["trace", "seconds_trace", "config", "results", "seconds", "reason"])
def test_a_byte_that_changed_inside_a_value_is_seen(config, finished, tmp_path, column):
    path = tmp_path / "changed"
    data = bytearray(finished.read_bytes())
    with closing(sqlite3.connect(finished)) as connection:
        value = connection.execute(f"SELECT {column} FROM runs ORDER BY key LIMIT 1").fetchone()[0]
    whole = struct.pack(">d", value) if isinstance(value, float) else value
    place = data.find(whole.encode() if isinstance(whole, str) else whole[:100])
    assert place > 0
    data[place + 5] ^= 1
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    for use in (lambda: run_sweep(config, path), lambda: load_runs(path), lambda: load_traces(path)):
        with pytest.raises(ValueError, match=r"undamaged, got .*changed: the row of runs that begins with"):
            use()
    assert path.read_bytes() == data


def test_half_a_store_is_refused(config, finished, tmp_path):
    path = tmp_path / "half"
    path.write_bytes(finished.read_bytes()[: finished.stat().st_size // 2])
    with pytest.raises(ValueError, match="undamaged"):
        run_sweep(config, path)


def test_a_store_of_another_format_is_refused(finished, tmp_path):
    path = tmp_path / "newer"
    path.write_bytes(finished.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(ValueError, match="must have format 3, got format 9"):
        load_runs(path)


def test_a_full_disk_keeps_what_was_saved(config, content, finished, tmp_path, monkeypatch):
    path = tmp_path / "full.sqlite"

    def limited(self, outcomes):
        # SQLite refuses to grow beyond this many pages with the error of a full disk
        self._connection.execute("PRAGMA max_page_count = 30")
        return save(self, outcomes)

    from emmd.experiments.snr.store.store import Store

    save = Store.save
    with monkeypatch.context() as patch:
        patch.setattr(Store, "save", limited)
        with pytest.raises(
            ValueError, match=r"full\.sqlite cannot be written to: .*full; finished runs are kept"
        ):
            run_sweep(config, path)
    kept = content(path)
    assert 0 < len(kept) < 144
    assert set(kept) <= set(content(finished))
    run_sweep(config, path)
    assert content(path) == content(finished)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
sys.argv = ["emmd", *sys.argv[1:]]
from emmd.experiments.cli import main
main()
"""


def test_a_file_that_may_not_grow_is_one_sentence_and_keeps_what_was_saved(
    config, content, finished, tmp_path, python
):
    file, path = tmp_path / "small.toml", tmp_path / "limited.sqlite"
    file.write_text(config)
    words = ["snr", "run", str(file), "--store", str(path), "--jobs", "1"]
    # the kernels are compiled already: their files may be larger than that
    assert finished.exists()
    process = subprocess.run([python, "-c", LIMITED, *words], capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert "cannot be written to" in process.stderr
    assert "finished runs are kept" in process.stderr
    assert process.stderr.count("\n") == 1
    assert 0 < len(content(path)) < 144
    assert set(content(path)) <= set(content(finished))
    run_sweep(config, path)
    assert content(path) == content(finished)


@pytest.mark.parametrize("name", ["nowhere/store", "file/store", "folder"])
def test_a_store_that_cannot_be_is_refused(config, tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="--store must be a file in an existing folder"):
        run_sweep(config, tmp_path / name)


HOLD = """
import sys, time
from emmd.experiments.snr.store.store import writing
with writing(sys.argv[1], "v"):
    print("held", flush=True)
    time.sleep(3)
"""


def test_a_second_writer_says_so_or_waits(config, finished, content, tmp_path, python):
    path = tmp_path / "shared.sqlite"
    path.write_bytes(finished.read_bytes())
    with subprocess.Popen([python, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="being written by another process; wait for it, or give --wait"):
            run_sweep(config, path)
        assert len(load_runs(path)) == 144  # readers are not shut out
        assert first.poll() is None
        run_sweep(config, path, Options(wait=True))
        first.wait(timeout=30.0)
    assert content(path) == content(finished)


def test_frames(finished):
    runs, traces = load_runs(finished), load_traces(finished)
    assert len(runs) == 144
    assert runs.index.is_unique
    assert set(runs["algorithm"]) == {
        "EM",
        "mirror descent (step size 1.1)",
        "gradient descent (step size backtracking)",
    }
    assert (load_runs(finished, "small")["loss"] == runs["loss"]).all()
    assert load_runs(finished, "other").empty
    by_run = traces.groupby("run", observed=True)
    assert len(by_run) == 144
    last = by_run.last().reindex(runs.index)
    assert (last["iteration"] == runs["iterations"]).all()
    assert (last["evaluations"] == runs["evaluations"]).all()
    assert (last["loss"] == runs["loss"]).all()
    assert (last["error"] == runs["error"]).all()
    assert (by_run.first()["iteration"] == 0).all()
    assert by_run.size().max() <= 60
    assert (by_run["seconds"].diff().dropna() >= 0).all()
    assert isinstance(traces["run"].dtype, pd.CategoricalDtype)
    known = runs.dropna(subset=["predicted_rate"])
    assert len(known) > 60
    assert ((known["predicted_rate"] - known["contraction"]).abs() <= known["contraction_error"] + 1e-9).all()


def test_what_follows_cannot_undo_a_run_that_was_saved(config, tmp_path):
    """Runs of a millisecond too have a transaction each: the second of these fails, the first stays."""
    outcome = execute(make_plan(parse(config)).runs[0])
    path = tmp_path / "runs.sqlite"
    with writing(path, "v") as store:
        store.begin("quick", config, "1 jobs")
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            store.save([outcome, outcome])
        assert store.finished() == {outcome.run.key}
    assert len(load_runs(path)) == 1
