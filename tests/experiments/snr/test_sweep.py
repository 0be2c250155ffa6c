"""A finished store does not depend on interruptions, on the number of processes, or on what else is in it."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from emmd.experiments.snr.run import sweep
from emmd.experiments.snr.run.sweep import Options, run_sweep


def count(path):
    """Return the number of whole runs that another connection can see."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def descendants(process):
    """Return the processes that a process started, and those that they started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    children = [int(pid) for pid in listed.stdout.split()]
    return children + [each for child in children for each in descendants(child)]


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_two_processes_give_the_same_bits(finished, config, content, tmp_path):
    run_sweep(config, tmp_path / "two.sqlite", Options(jobs=2))
    assert content(tmp_path / "two.sqlite") == content(finished)


@pytest.mark.parametrize("jobs", [(1, 2, 1), (2, 1, 2)])
def test_killed_at_random_moments_and_resumed_gives_the_same_bits(
    finished, config, content, tmp_path, python, jobs
):
    file, store = tmp_path / "small.toml", tmp_path / "killed.sqlite"
    file.write_text(config)
    words = ["-c", "from experiments.cli import main; main()"]
    chance = random.SystemRandom()
    moments = [chance.uniform(0.0, 0.15) for _ in jobs]
    whole = 0
    for number, moment in zip(jobs, moments):
        command = [python, *words, "snr", "run", str(file), "--store", str(store), "--jobs", str(number)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda before=whole: count(store) > before or before == 144)
        # in the middle of a run, of a transaction, or between two
        time.sleep(moment)
        workers = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert count(store) >= whole, f"killed after {moments} s"
        whole = count(store)
        wait_until(lambda group=workers: not any(alive(worker) for worker in group))
    summary = run_sweep(config, store, Options(jobs=3 - jobs[-1]))
    assert (summary.found, summary.done) == (whole, 144 - whole), f"killed after {moments} s"
    assert content(store) == content(finished), f"killed after {moments} s"


def test_a_wider_grid_keeps_the_runs_that_were_there(finished, config, content, tmp_path):
    store = tmp_path / "wider.sqlite"
    store.write_bytes(finished.read_bytes())
    wider = config.replace("count = 3", "count = 4").replace("[3.0, 4.0]", "[4.0, 5.0]")
    summary = run_sweep(wider, store)
    assert summary.found == 72
    assert summary.done == 2 * 2 * 2 * 8 * 3 - 72
    kept = set(content(finished))
    assert kept <= set(content(store))
    # a store begun with the wider grid has the same runs
    direct = tmp_path / "direct.sqlite"
    run_sweep(wider, direct)
    assert set(content(direct)) == {row for row in content(store) if row[1] in _keys(direct)}


def _keys(path):
    with closing(sqlite3.connect(path)) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM runs")}


def test_starts_are_shared_by_algorithms_and_samples_by_starts(finished):
    from emmd import load_runs, load_traces

    runs, traces = load_runs(finished), load_traces(finished)
    cell = ["model", "snr_expert", "repetition"]
    assert (runs.groupby(cell)["optimum_loss"].nunique() == 1).all()
    assert runs["optimum_loss"].nunique() == 8
    start = [*cell, "start_distance", "start_index"]
    assert (runs.groupby(start)["start_error"].nunique() == 1).all()
    assert runs["start_error"].nunique() == 48
    first = traces[traces["iteration"] == 0].set_index("run")["loss"]
    losses = runs.assign(first=first.reindex(runs.index).to_numpy()).groupby(start)["first"]
    assert (losses.max() - losses.min()).max() < 1e-12


FAILING = """
[[algorithms]]
method = "gradient_descent"
step_size = "best"
"""


@pytest.fixture
def failing(config):
    """Six rows in two features: no sample has a strict optimum, so no best step exists."""
    return config.replace("n = 300", "n = 6").replace("repetitions = 2", "") + FAILING


def test_a_failed_run_is_a_row_with_its_reason(failing, tmp_path):
    from emmd import load_runs

    store = tmp_path / "failing.sqlite"
    summary = run_sweep(failing, store)
    runs = load_runs(store)
    failed = runs[runs["status"] == "error"]
    assert summary.planned == len(runs) == 96
    assert summary.failed == len(failed) > 0
    assert failed["reason"].str.contains("no strict optimum").all()
    with closing(sqlite3.connect(store)) as connection:
        texts = connection.execute("SELECT traceback FROM runs WHERE status = 'error'").fetchall()
    assert all("Traceback" in text and "strict_optimum" in text for (text,) in texts)
    again = run_sweep(failing, store)
    assert (again.found, again.done, again.failed) == (96, 0, len(failed))
    retried = run_sweep(failing, store, Options(retry_failed=True))
    assert (retried.done, retried.failed) == (len(failed), len(failed))


def test_another_code_version_is_refused_unless_asked_for(finished, config, content, tmp_path, monkeypatch):
    store = tmp_path / "old.sqlite"
    store.write_bytes(finished.read_bytes())
    monkeypatch.setattr(sweep, "code_version", lambda: "9.9.9+0")
    with pytest.raises(ValueError, match=r"has runs of code version .*, this is 9\.9\.9\+0"):
        run_sweep(config, store)
    assert content(store) == content(finished)
    summary = run_sweep(config, store, Options(accept_version=True))
    assert (summary.found, summary.done) == (144, 0)


def test_a_worker_with_other_code_is_refused(config):
    from emmd.experiments.snr.config.read import parse
    from emmd.experiments.snr.plan.plan import make_plan
    from emmd.experiments.snr.run.execute import execute_all

    with pytest.raises(ValueError, match="every worker must run the code of this sweep"):
        execute_all(make_plan(parse(config)).runs[:1], "9.9.9+0")
