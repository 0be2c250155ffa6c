"""E0: A and A_y belong together: exp(A_y) adds up to exp(A) over all y.

Where y takes finitely many values, or is a count, or one or two numbers, that is a sum or an integral.
Otherwise, where the model has a sampler, the mean of grad A_y over draws must be grad A.
"""

import numpy as np

from emmd.core.checks import ORDINARY
from emmd.theory.assumptions import no_prior, regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.rounding import EPS
from emmd.theory.numeric.mass.nodes import nodes_of
from emmd.theory.numeric.mass.total import chosen_rows, repeated, total_mass

_DRAWS = 25_000
_DEVIATIONS = 5.0
_POINTS = 3


def measure(lab, mass=1.0, apart=0.0):
    """Compare the total mass with 1 at the probes, or else mean statistics of draws with grad A."""
    for label, theta in lab.probes[:_POINTS]:
        for row in chosen_rows(lab):
            where = {"point": label, "row": row, "theta": theta}
            found = total_mass(lab, theta, row, apart)
            if found is not None:
                yield Comparison(
                    mass, found.value, found.error, 1.0, {**where, "of": "total mass"}, part="mass"
                )
            elif lab.model.has_own("sample_y"):
                yield from _draws(lab, theta, row, mass, apart, where)


def _draws(lab, theta, row, mass, apart, where):
    """The mean of grad A_y over draws, within Bernstein's bound at 5 standard deviations.

    The variance of a mean given y is at most that of what it is a mean of, hess A: that of the draws knows
    nothing of an expert whom none of them came from.
    """
    drawn = lab.once(("draws", theta.tobytes(), row, apart), lambda: _drawn(lab, theta, row, apart))
    if drawn is None:
        return
    mean, spread, posterior = drawn
    n, largest = len(posterior), np.abs(posterior).max(axis=0)
    error = _DEVIATIONS * spread / np.sqrt(n) + (_DEVIATIONS**2 / (6.0 * n) + 64.0 * EPS) * largest
    for d, observed in enumerate(posterior.mean(axis=0)):
        sides = mass * float(mean[d]), float(observed), float(error[d])
        scale = float(max(spread[d], abs(mean[d]), 1e-300))
        yield Comparison(*sides, scale, {**where, "of": "statistic of draws", "statistic": d}, part="draws")


def _drawn(lab, theta, row, apart):
    """Return grad A, the standard deviations of S, and grad A_y of every draw."""
    model = lab.model
    X = repeated(lab.problem.X, row, _DRAWS)
    y = model.sample_y(theta, _DRAWS if X is None else X, lab.rng(f"E0 {row}"))
    if np.asarray(y).dtype.kind == "f" and np.abs(y).max() > ORDINARY[1]:
        # at a far point heavy tails reach beyond what is taken for data
        return None
    X, y, n = model.check_rows(X, y)
    data = model.prepare(X, y, np.full(n, 1.0 / n))
    eta = model.definition(data).eta(theta)
    spread = np.sqrt(np.abs(np.diagonal(model.covariance(eta[:1])[0])))
    return model.mean_statistics(eta * (1.0 + apart))[0], spread, model.posterior_statistics(data, eta)


def normalisation_seen(lab):
    """The values of y can be added up, or the model has a sampler."""
    y = lab.problem.y
    known = lab.model.support is not None and isinstance(y, np.ndarray)
    if lab.model.has_own("sample_y") or (known and nodes_of(lab.model.support, y) is not None):
        return ""
    return (
        "unchecked: exp(A_y) can be summed or integrated where the model says what y can be (support) and "
        "that is a list of values or one or two numbers, and else compared with draws (sample_y)"
    )


CLAIM = Claim(
    id="E0-normalised",
    statement="A and A_y belong together: exp(A_y) adds up to exp(A) over all values of y.",
    latex=r"\int e^{A_y(\eta)} dy = e^{A(\eta)}, \quad E_{y \sim p_\eta} \nabla A_y(\eta) = \nabla A(\eta)",
    source="definition of A and A_y",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("a hundredth more mass", {"mass": 1.01}, truth=1.0),
        Sabotage("A and A_y at parameters a fifth apart", {"apart": 0.2}),
    ),
    assumptions=(regular_design, no_prior, normalisation_seen),
    resolution=0.05,
)
