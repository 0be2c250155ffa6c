"""O2: with a constant step online EM ends in a cloud of size (gamma / B) tr (2 I - gamma K)^-1.

K = I - M. Measured on mixing weights of known densities, whose population is exact, with batches so large
that the cloud lies where EM's map is linear: what its bend adds falls like 1 / B.
"""

from functools import partial

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.online.mixing import kind_of, mixing_population

_BATCH = 5000
_REPLICAS = 600
_STEPS = 240
_DEVIATIONS = 5.0
_CASES = ((1.0, 20), (0.5, 30), (0.1, 120))
"""Steps, and how many are left out before the cloud is looked at."""


def measure(lab, trace="K"):
    """Compare the mean squared error, in units of H_A and times B, with the formula."""
    population = mixing_population(kind_of(lab), 1.5, (0.5, 0.3, 0.2))
    for gamma, skipped in _CASES:
        run = partial(_cloud, lab, population, gamma, skipped)
        seen, error = lab.once(("O2", gamma), run)
        predicted = _formula(population.kept, gamma, trace)
        yield Comparison(predicted, seen, error, predicted, {"step": gamma}, part=f"step {gamma}")


def _formula(kept, gamma, trace):
    of = {"K": kept, "M": 1.0 - kept, "0": 0.0 * kept}[trace]
    return gamma * float(np.sum(1.0 / (2.0 - gamma * of)))


def _cloud(lab, population, gamma, skipped):
    """Return the mean over runs and times, and 5 standard errors: runs are independent."""
    rng, total = lab.rng(f"O2 {gamma}"), np.zeros(_REPLICAS)
    for k, logits in enumerate(population.runs([gamma] * (skipped + _STEPS), _BATCH, _REPLICAS, rng)):
        if k >= skipped:
            total += (population.modes(logits) ** 2).sum(axis=1)
    means = _BATCH * total / _STEPS
    # one over the batch is what a bend may add
    bend = float(means.mean()) * len(population.weights) ** 2 / _BATCH
    return float(means.mean()), _DEVIATIONS * float(means.std() / np.sqrt(_REPLICAS)) + bend


CLAIM = Claim(
    id="O2-constant-step",
    statement="Online EM with step gamma settles at E ||theta - theta*||^2 = (gamma/B) tr (2I - gamma K)^-1.",
    latex=r"E\|\theta - \theta^*\|_{H_A}^2 \to (\gamma / B)\,\mathrm{tr}(2 I - \gamma K)^{-1},\ K = I - M",
    source="Cappe, Moulines 2009 (setting); constants derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("M for K", {"trace": "M"}),
        Sabotage("gamma p / (2 B)", {"trace": "0"}),
    ),
    resolution=0.1,
    scope="population",
)
