"""What was run while the site was built, kept until a source of the package changes."""

import hashlib
import os
import pickle
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np

import emmd
from emmd import gallery, theory
from emmd.experiments.cases.case import Case
from emmd.experiments.cases.shipped import MODELS, default_cases
from emmd.experiments.cases.side_by_side import Task, run_all
from emmd.experiments.figures import convergence
from emmd.experiments.snr.run import workers
from emmd.experiments.snr.run.pool import processes
from emmd.theory.checker import check, select
from emmd.theory.lab import Lab

MODEL_CLAIMS = ["E0", "E3", "C1", "L1", "N0"]
"""The claims of the models' own pages: `emmd verify --model NAME` runs all."""

_LONGEST = 400


class Checked:
    """Verdicts and figures, from a folder of files named by a digest of the package's sources."""

    def __init__(self, folder):
        self._folder = Path(folder) / _digest()
        self._folder.mkdir(parents=True, exist_ok=True)

    def _kept(self, name, make):
        path = self._folder / f"{name}.pickle"
        if not path.exists():
            path.write_bytes(pickle.dumps(make()))
        return pickle.loads(path.read_bytes())

    def records(self):
        """Return the records of every claim on the problems that `emmd verify` ships, and of certificates."""
        return self._kept("claims", _all_records)

    def models(self):
        """Return (repr of the problem, records, figure of a path or None) of each model of the gallery."""
        missing = [name for name in gallery.names() if not (self._folder / f"model-{name}.pickle").exists()]
        if missing:
            workers.prepare()
            with processes(min(os.cpu_count() or 1, len(missing))) as pool:
                for name, future in [(name, pool.submit(_model, name)) for name in missing]:
                    self._kept(f"model-{name}", future.result)
        return {name: self._kept(f"model-{name}", partial(_model, name)) for name in gallery.names()}


def _digest():
    digest = hashlib.sha256(emmd.__version__.encode())
    for package in ("emmd", "emmd.theory", "emmd.experiments"):
        root = Path(*import_module(package).__path__)
        for source in sorted(root.rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _all_records():
    by_scope: dict = {}
    for claim in theory.claims().values():
        by_scope.setdefault(claim.scope, []).append(claim.id)
    tasks = [Task(by_scope["population"], [], 0, population=name) for name in MODELS]
    tasks += [Task(by_scope["problem"], [], 0, case) for case in default_cases([], 0)]
    tasks.append(Task(by_scope["certificate"], [], 0, _small(), certify=True))
    return [record for each in run_all(tasks, lambda *_: None) for record in each]


def _small():
    """Return a case that is quick to certify."""
    model = emmd.SymMoLinE(2)
    truth = np.array([2.0, 0.0, 0.3, 0.9])
    X, y, _ = model.sample(truth, 300, 0)
    return Case("SNR 2/1, n = 300", emmd.Problem(model, X, y), truth + 0.1, "")


def _model(name):
    problem, theta0 = gallery.load(name)
    # one lab for the claims and the figure: it knows the optimum
    lab = Lab(problem, theta0)
    records = [check(claim, lab, name) for claim in select(MODEL_CLAIMS)]
    return repr(problem), records, _path(lab, name) if lab.reference.strict else None


def _path(lab, name):
    result = emmd.minimize(lab.problem, lab.theta0, tol=1e-12, max_iter=_LONGEST, record=True)
    gap = result.trace.theta - lab.reference.theta
    errors = np.sqrt(np.maximum(np.einsum("ti,ij,tj->t", gap, lab.information.complete, gap), 0.0))
    rate = lab.information.eigenvalues[-1]
    return convergence.draw(name, [(f"EM: rate {rate:.4f}", errors, rate)])
