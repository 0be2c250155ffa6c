"""L1: EM's iterates contract by lambda_max(M), its loss and divergence by lambda_max squared."""

import numpy as np

from emmd.theory.assumptions import more_than_a_sign, regular_design, something_hidden, strict_minimum
from emmd.theory.certificates.proved import certified_rate
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.rates.loss_gap import loss_gap
from emmd.theory.numeric.rates.settle import settle

_PART = 0.2
"""First distance from the optimum; of the loss over sqrt(1 - lambda_max), where fourth-order terms count."""


def measure(lab, rate_from="pencil", loss_power=2, swap=True):
    """Compare the map's spectral radius, and ratios along the slowest mode, with the pencil's rate."""
    rate = _rate(lab, rate_from)
    seen = lab.contraction("em")
    of = "parameters"
    yield Comparison(rate, seen.value, seen.error + 1e-12, max(rate, 1e-3), {"of": of}, part=of)
    yield from _ratios(lab, rate**loss_power)
    yield from _symmetry(lab, rate, swap)


def _rate(lab, rate_from):
    complete, missing = lab.reduced(lab.information.complete, lab.information.missing)
    if rate_from == "observed information":
        values = lab.information.eigenvalues
        return float(np.max(values / (1.0 - values)))
    if rate_from == "symmetric solver":
        return float(np.linalg.eigvalsh(np.linalg.solve(complete, missing))[-1])
    return lab.information.rate


def _ratios(lab, predicted):
    """Start on the slowest mode, ever closer; the mean over both signs has an error of second order."""
    for of, start in (("D_A", _PART), ("loss", _PART * (1.0 - lab.information.rate) ** 0.5)):
        found = lab.once(
            ("ratio", of),
            lambda of=of, start=start: settle(
                lambda h: _ratio(lab, of, h)[0], start, lambda h: _ratio(lab, of, h)[1]
            ),
        )
        where = {"of": of, "start": "along the slowest eigenvector", "length": found.length}
        sides = predicted, float(found.value[0]), float(found.error[0])
        yield Comparison(*sides, max(predicted, 1e-3), where, part=of)


def _ratio(lab, of, length):
    """Return the ratio of D_A or of the loss gap after a step to before it, and its rounding error."""
    return lab.once(("ratio", of, length), lambda: _measured_ratio(lab, of, length))


def _measured_ratio(lab, of, length):
    problem, target = lab.problem, lab.reference
    before = after = rounding = 0.0
    for sign in (1.0, -1.0):
        start = target.theta + sign * length * lab.information.vectors[:, -1]
        points = start, problem.em_step(start)
        if of == "D_A":
            values = [problem.divergence(target.theta, point) for point in points]
            errors = [lab.divergence_error(target.theta, point) for point in points]
            # an error e of the optimum changes D_A(theta*, .) by about e sqrt(2 D_A)
            errors = [e + lab.optimum_error * (2.0 * abs(v)) ** 0.5 for e, v in zip(errors, values)]
        else:
            gaps = [loss_gap(problem, target.theta, point) for point in points]
            values, errors = ([gap[side] for gap in gaps] for side in (0, 1))
        before, after = before + values[0], after + values[1]
        rounding += sum(errors)
    return after / before, 2.0 * rounding / before


def _symmetry(lab, rate, swap):
    """Start next to every copy of the optimum: the error modulo the symmetries contracts all the same."""
    for k in range(len(_copies(lab))):
        found = lab.once(
            ("copy", k, swap),
            lambda k=k: settle(
                lambda h: _copy_ratio(lab, k, swap, h), _PART, lambda h: _copy_rounding(lab, h)
            ),
        )
        where = {"of": "parameters modulo symmetry", "copy": k, "length": found.length}
        sides = rate, float(found.value[0]), float(found.error[0])
        yield Comparison(*sides, max(rate, 1e-3), where, part=f"copy {k}")


def _copy_ratio(lab, k, swap, length):
    """Return the mean over both signs of the ratio of errors, and how far the signs differ."""
    target, shift = lab.reference.theta, length * lab.information.vectors[:, -1]
    known = _copies(lab) if swap else _copies(lab)[:2]
    starts = lab.once(
        ("starts next to copies", length),
        lambda: [lab.model.equivalents(target + sign * shift) for sign in (1.0, -1.0)],
    )
    starts = [each[k] for each in starts]
    ratios = [_error(lab, known, lab.problem.em_step(start)) / _error(lab, known, start) for start in starts]
    return np.mean(ratios), abs(ratios[0] - ratios[1])


def _copies(lab):
    """Return the optimum's copies, each with a basis of what is not gauge there."""
    return lab.once(
        "copies",
        lambda: [(copy, lab.problem.quotient(copy)) for copy in lab.model.equivalents(lab.reference.theta)],
    )


def _copy_rounding(lab, length):
    """Bound what the error of the optimum, which is larger than that of an EM step, does to the ratio."""
    vectors = lab.information.vectors
    unknown = lab.optimum_error * np.linalg.norm(vectors, 2)
    return np.array([4.0 * unknown / (length * np.linalg.norm(vectors[:, -1]))])


def _error(lab, known, point):
    """Return the distance from the nearest copy, without what lies along its gauge directions."""
    return min(np.linalg.norm(quotient.T @ (point - copy)) for copy, quotient in known)


CLAIM = Claim(
    id="L1-em-rate",
    statement="EM contracts parameters by lambda_max(M), L - L* and D_A by its square.",
    latex=r"\|\theta_{t+1} - \theta^*\| / \|\theta_t - \theta^*\| \to \lambda_{\max},\quad"
    r" (L_{t+1} - L^*) / (L_t - L^*) \to \lambda_{\max}^2",
    source="Dempster, Laird, Rubin 1977; Meng, Rubin 1991",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("loss ratio = lambda_max", {"loss_power": 1}),
        Sabotage("M = I_obs^-1 I_mis", {"rate_from": "observed information"}),
        Sabotage("symmetric eigensolver on I_com^-1 I_mis", {"rate_from": "symmetric solver"}),
        Sabotage("no swap when matching parameters", {"swap": False}, (more_than_a_sign,)),
    ),
    assumptions=(regular_design, strict_minimum, something_hidden),
    resolution=0.05,
    certified=certified_rate,
)
