"""O4: the mean of online EM's iterates with steps k^-a, 1/2 < a < 1, reaches the Cramer-Rao bound.

In units of H_A that is the covariance (I - M)^-1 / n, whatever lambda_max is. Runs end before that limit; by
how much they miss it is known where EM's map is linear, as it is in the cloud that large batches leave.
"""

from functools import partial

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.online.mixing import kind_of, linear_variances, with_missing

_CASES = ((0.27, 0.6), (0.66, 0.7))
_BATCH = 5000
_REPLICAS = 1500
_STEPS = 300
_DEVIATIONS = 5.0


def measure(lab, covariance="1 / K", averaged=True):
    """Compare n times the variance of the mean of all iterates, in units of H_A, with the bound."""
    for share, power in _CASES:
        population = lab.once(("O4 population", share), partial(with_missing, kind_of(lab), share))
        mean, last = lab.once(("O4", share, power), partial(_variances, lab, population, share, power))
        kept = float(population.kept[0])
        predicted = {"1 / K": 1.0 / kept, "1": 1.0, "K": kept}[covariance]
        seen = mean if averaged else last
        missed = linear_variances(kept, _steps(power), _BATCH)[1] * _STEPS * _BATCH - 1.0 / kept
        budget = _DEVIATIONS * np.sqrt(2.0 / _REPLICAS) * mean
        where = {"lambda": share, "power": power, "missed by the end": float(missed)}
        sides = predicted, seen - missed, float(budget)
        yield Comparison(*sides, 1.0 / kept, where, part=f"lambda {share}, power {power}")


def _steps(power):
    return np.arange(1.0, _STEPS + 1.0) ** -power


def _variances(lab, population, share, power):
    """Return n times the variances of the runs' means, and of where they end."""
    total = errors = np.zeros((_REPLICAS, 1))
    for logits in population.runs(_steps(power), _BATCH, _REPLICAS, lab.rng(f"O4 {share} {power}")):
        errors = population.modes(logits)
        total = total + errors
    n = _STEPS * _BATCH
    return float(n * ((total / _STEPS) ** 2).mean()), float(n * (errors**2).mean())


CLAIM = Claim(
    id="O4-averaged",
    statement="Averaged online EM with steps k^-a, 1/2 < a < 1, reaches the covariance (I - M)^-1 / n.",
    latex=r"\gamma_k = k^{-a}: \quad n\,\mathrm{Cov}_{H_A}(\bar\theta_n) \to (I - M)^{-1}",
    source="Cappe, Moulines 2009; Polyak, Juditsky 1992",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("the last iterate", {"averaged": False}),
        Sabotage("covariance of complete data", {"covariance": "1"}),
        Sabotage("covariance I - M", {"covariance": "K"}),
    ),
    resolution=0.4,
    scope="population",
)
