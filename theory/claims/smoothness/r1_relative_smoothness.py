"""R1, the bound: the loss is 1-smooth relative to A, and no smaller constant serves."""

import numpy as np

from emmd.fits.pencil import pencil
from emmd.theory.assumptions import linear_model_set, regular_design
from emmd.theory.certificates.proved import closed_form
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage

_SIZES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def measure(lab, constant=1.0):
    """Search theta for the largest D_L / D_A, along the stiffest direction at each point."""
    for size in _SIZES:
        for name, v in _candidates(lab, size):
            try:
                direction = pencil(lab.problem.hessian(v), lab.problem.complete_hessian(v))[1][:, -1]
            except np.linalg.LinAlgError:
                continue
            for length in (0.1, 1.0):
                u = lab.inside(v, length * direction)
                yield _ratio(lab, u, v, constant, f"{name}, size {size}, length {length}")


def _candidates(lab, size):
    """Far points with one block at rest: there the posterior is certain while the other block is free."""
    d = lab.problem.n_params // 2
    for k, step in enumerate(lab.random_points("smoothness", 2, size)):
        point = lab.inside(np.zeros_like(step), step)
        expert_only = np.concatenate([point[:d], np.zeros(lab.problem.n_params - d)])
        yield f"both {k}", point
        yield f"expert {k}", expert_only


def _ratio(lab, u, v, constant, name):
    problem = lab.problem
    divergence = problem.divergence(u, v)
    gap = problem.loss(u) - problem.loss(v) - problem.gradient(v) @ (u - v)
    budget = lab.loss_error(u, v) + np.abs(u - v) @ lab.gradient_error(v)
    return Comparison(
        predicted=constant,
        observed=gap / divergence,
        budget=float(budget / divergence),
        scale=1.0,
        where={"search": name, "u": u, "v": v},
    )


def certified(lab):
    """Yield the same comparisons where the constant is proved: D_A - D_L is the divergence of a convex B."""
    if closed_form(lab):
        yield from measure(lab)


CLAIM = Claim(
    id="R1-relative-smoothness",
    statement="D_L <= D_A everywhere: the loss is 1-smooth relative to the mirror map.",
    latex=r"D_L(u, v) \le D_A(u, v)",
    source="Fruytier, Mokhtari, Sanghavi 2025; Kunstner, Kumar, Schmidt 2021",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("smoothness constant 0.9", {"constant": 0.9}),
        # where many rows share few parameters no point is uncertain of all of them
        Sabotage("smoothness constant 0.5", {"constant": 0.5}, truth=1.0),
    ),
    assumptions=(regular_design, linear_model_set),
    proof="R1",
    certified=certified,
)
