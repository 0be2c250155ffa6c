"""The same plan on a real cluster of worker processes, one of which is killed in the middle."""

import os
import signal
import threading

import pytest

from emmd.experiments.snr.run.sweep import Options, run_sweep
from emmd.experiments.snr.store.store import Store

distributed = pytest.importorskip(
    "distributed", reason="Dask is not installed: pip install 'emmd[distributed]'"
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


def test_a_killed_worker_changes_nothing(finished, config, content, tmp_path, cluster, monkeypatch):
    with distributed.Client(cluster) as client:
        pids = set(client.run(os.getpid).values())
    assert len(pids) == 2
    killed = threading.Event()
    save = Store.save

    def save_and_kill(self, outcomes):
        save(self, outcomes)
        if not killed.is_set():
            killed.set()
            os.kill(min(pids), signal.SIGKILL)

    monkeypatch.setattr(Store, "save", save_and_kill)
    store = tmp_path / "cluster.sqlite"
    summary = run_sweep(config, store, Options(scheduler=cluster.scheduler_address))
    assert killed.is_set()
    assert (summary.done, summary.failed) == (144, 0)
    assert content(store) == content(finished)


def test_an_unreachable_scheduler_is_one_sentence(config, tmp_path, monkeypatch):
    monkeypatch.setattr("emmd.experiments.snr.run.cluster._TIMEOUT", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(ValueError, match="--scheduler must be the address of a running Dask scheduler"):
            run_sweep(config, tmp_path / "store.sqlite", Options(scheduler=address))


def test_a_scheduler_without_workers_is_refused(config, tmp_path):
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        pytest.raises(ValueError, match="--scheduler must have workers"),
    ):
        run_sweep(config, tmp_path / "store.sqlite", Options(scheduler=empty.scheduler_address))
