"""Doors to certificates, to maps and to streams of batches."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

import emmd
from emmd import theory
from tests.hostile import examples as ex
from tests.hostile.door import Door


def _halved(x):
    return 0.5 * x


def _online():
    batches = [(ex.X[:20], ex.problem().y[:20]), (ex.X[20:], ex.problem().y[20:])]
    return {
        "model": ex.linear(),
        "batches": batches,
        "theta0": ex.THETA,
        "step_size": 0.5,
        "average": False,
    }


def _accelerate():
    return {
        "fixed_point_map": _halved,
        "x0": np.ones(2),
        "method": "squarem",
        "tol": 1e-8,
        "max_iter": 20,
        "record": False,
    }


def _bound():
    return {
        "expression": "1 / sqrt(1 + snr_e**2) + 1",
        "model": "symmologe",
        "snr_expert": (1.0, 1.1),
        "snr_gate": (0.5, 0.6),
        "cosine": 0.3,
        "kind": "upper",
        "d": 2,
        "max_boxes": 2,
        "progress": None,
    }


@cache
def _saved():
    path = Path(tempfile.mkdtemp()) / "certificate.json"
    theory.certify(ex.problem(), ex.THETA, max_steps=2).save(path)
    return str(path)


def doors():
    """Return the doors of this file."""
    return [
        Door("accelerate", emmd.accelerate, _accelerate, promised=(ArithmeticError,)),
        Door("online_em", emmd.online_em, _online, promised=(ArithmeticError,)),
        Door(
            "matrix_free_rate",
            theory.matrix_free_rate,
            lambda: {"problem": ex.problem(), "theta": ex.optimum("linear")},
            promised=(ArithmeticError,),
        ),
        Door(
            "certify",
            theory.certify,
            lambda: {
                "problem": ex.problem(),
                "theta0": ex.THETA,
                "share": 0.75,
                "max_steps": 2,
                "progress": None,
            },
            share=0.3,
        ),
        Door(
            "certify_population",
            theory.certify_population,
            lambda: {"model": "symmologe", "snr_expert": 1.0, "snr_gate": 0.5, "cosine": 0.3, "d": 2},
            share=0.3,
        ),
        Door("load_certificate", theory.load_certificate, lambda: {"path": _saved()}),
        Door("prove_bound", theory.prove_bound, _bound, share=0.3),
    ]
