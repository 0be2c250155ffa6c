"""Proofs kept on disk: only successes, under a digest of their sources, and nothing that was changed."""

import json

import pytest

from emmd.theory import kept_proofs


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Proofs that are asked for, with E1 the only true statement, in a folder of their own."""
    asked = []

    class Proof:
        def __init__(self, label, model):
            asked.append((label, model))
            self.proved = label == "E1"

    monkeypatch.setattr("emmd.theory.symbolic.prove", Proof)
    monkeypatch.setattr(kept_proofs, "_path", lambda: tmp_path / "kept" / "proofs.json")
    return asked


def test_a_success_is_proved_once_and_a_failure_each_time(asked):
    for _ in range(2):
        assert kept_proofs.proved("E1", "symmoline")
        assert not kept_proofs.proved("E4", "symmoline")
    assert asked == [("E1", "symmoline"), ("E4", "symmoline"), ("E4", "symmoline")]


def test_a_changed_file_proves_nothing(asked):
    kept_proofs.proved("E1", "symmoline")
    path = kept_proofs._path()
    names, seal = json.loads(path.read_text())
    for changed in ([["E4 symmoline", *names], seal], [names], names, {"names": names}, 3):
        path.write_text(json.dumps(changed))
        assert not kept_proofs.proved("E4", "symmoline")
    path.write_bytes(b"\xff[")
    assert not kept_proofs.proved("E4", "symmoline")


def test_other_sources_are_kept_elsewhere(tmp_path, monkeypatch):
    places = []
    for text in ("one", "two"):
        (tmp_path / "proof.py").write_text(text)
        monkeypatch.setattr(kept_proofs, "_FOLDER", tmp_path)
        kept_proofs._path.cache_clear()
        places.append(kept_proofs._path().name)
    kept_proofs._path.cache_clear()
    assert places[0] != places[1]


def test_a_folder_that_cannot_be_written_to_costs_the_proof_again(asked, tmp_path):
    (tmp_path / "kept").write_text("a file")
    assert kept_proofs.proved("E1", "symmoline")
    assert kept_proofs.proved("E1", "symmoline")
    assert len(asked) == 2
