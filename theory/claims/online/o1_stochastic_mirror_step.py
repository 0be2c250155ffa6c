"""O1: a step of online EM is a stochastic mirror step: grad A(theta') = grad A(theta) - gamma g_B.

A is the mirror map of the batch. Without covariates it is that of every batch, and of the population; with
covariates it is not, and one mirror map for all batches is refuted: by how much shows in the sabotage.
"""

import numpy as np

from emmd.core.loop.online import online_em
from emmd.core.problem import Problem
from emmd.theory.assumptions import linear_model_set, no_prior, regular_design
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import gradient_rounding, inner_rounding

_STEPS = (1.0, 0.3)
_LEAST = 10
"""Rows of a batch for each parameter, so that most batches determine a step."""


def measure(lab, factor=1.0, mirror_map="batch"):
    """Compare gradients of the batch's mirror map after one step with a mirror step on its loss."""
    for label, theta in lab.probes[:3]:
        for gamma in _STEPS:
            found = lab.once(("O1", label, gamma), lambda t=theta, g=gamma: _stepped(lab, t, g))
            if found is None:
                continue
            batch, reached = found
            whole = lab.problem if mirror_map == "all rows" else batch
            slope = batch.definition.gradient(theta) - batch.definition.penalty_gradient(theta)
            unit = inner_rounding(batch, 1.0, reached)
            # the M-step is solved to 1e-13
            budget = 1e-13 * unit + 2.0 * (
                gradient_rounding(batch, theta) + gradient_rounding(batch, reached)
            )
            yield from componentwise(
                whole.mirror_gradient(theta) - factor * gamma * slope,
                whole.mirror_gradient(reached),
                budget,
                unit,
                point=label,
                step=gamma,
                theta=theta,
            )


def _stepped(lab, theta, gamma):
    """Return a batch and where a step leads; None where the batch does not determine one."""
    problem, rng = lab.problem, lab.rng(f"O1 {gamma}")
    size = min(problem.n_rows, max(32, _LEAST * problem.n_params))
    rows = np.sort(rng.choice(problem.n_rows, size, replace=False))
    X, y = _rows(problem.X, rows), _rows(problem.y, rows)
    batch = Problem(problem.model, X, y)
    if problem.model.dependent_columns(batch.data):
        return None
    try:
        run = online_em(problem.model, [(X, y)], theta, step_size=gamma)
    except ValueError:
        return None
    return None if run.trace.held else (batch, run.x)


def _rows(tree, rows):
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: _rows(each, rows) for key, each in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_rows(each, rows) for each in tree)
    return tree[rows]


def same_rows_mean_same_map(lab):
    """Rows have covariates, so that batches differ in their mirror maps."""
    eta = lab.problem.definition.eta(lab.probes[1][1])
    return "A is the same for every batch" if np.array_equal(eta, np.broadcast_to(eta[:1], eta.shape)) else ""


def no_penalty(lab):
    """The loss holds nothing beside the rows."""
    extra = lab.problem.penalty(lab.theta0) != 0.0 or lab.problem.penalty(lab.theta0 + 1.0) != 0.0
    return "the loss holds a penalty, which is not a mean over rows" if extra else ""


CLAIM = Claim(
    id="O1-stochastic-mirror-step",
    statement="A step of online EM with step gamma is a mirror step on the batch's gradient with step gamma.",
    latex=r"\nabla A_B(\theta^+) = \nabla A_B(\theta) - \gamma \nabla L_B(\theta)",
    source="Cappe, Moulines 2009 (algorithm); exact form derived",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step",),
    sabotages=(
        Sabotage("step 1.1 gamma", {"factor": 1.1}, truth=1.0),
        Sabotage("step 0.9 gamma", {"factor": 0.9}, truth=1.0),
        Sabotage("one mirror map for all batches", {"mirror_map": "all rows"}, (same_rows_mean_same_map,)),
    ),
    assumptions=(regular_design, linear_model_set, no_prior, no_penalty),
)
