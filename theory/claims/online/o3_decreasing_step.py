"""O3: with steps 1 / k online EM is as fast as n^(-1/2) only where lambda_max is below 1/2.

In units of H_A and for a mode with eigenvalue K = 1 - lambda the linear recursion has the variance

    v_k = K / ((2K - 1) k B) + c k^(-2K):

below 1/2 the first term rules, above it the second: the error falls like n^-(1 - lambda). The second falls so
slowly next to lambda = 1/2 that runs of ordinary length show neither exponent, but v_k less the first term,
which is known, shows its own from the start, and what bends EM's map in the first steps changes c alone.
"""

from functools import partial

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.online.mixing import kind_of, linear_variances, with_missing

_SHARES = (0.27, 0.66)
"""lambda_max."""

_BATCH = 4
_REPLICAS = 2000
_TIMES = 40, 1500
_DEVIATIONS = 5.0


def measure(lab, exponent="1 - lambda", constant="K / (2K - 1)"):
    """Compare the constant below one half, and the exponent above it."""
    for share in _SHARES:
        population = lab.once(("O3 population", share), partial(with_missing, kind_of(lab), share))
        seen = lab.once(("O3", share), partial(_variances, lab, population, share))
        kept = float(population.kept[0])
        linear = linear_variances(kept, 1.0 / np.arange(1.0, _TIMES[1] + 1.0), _BATCH)[0]
        linear = linear[np.array(_TIMES) - 1]
        compare = _constant if share < 0.5 else _exponent
        yield compare(kept, seen, linear, constant if share < 0.5 else exponent, share)


def _variances(lab, population, share):
    """Return the runs' variances at two times."""
    rng, found = lab.rng(f"O3 {share}"), []
    steps = 1.0 / np.arange(1.0, _TIMES[1] + 1.0)
    for k, logits in enumerate(population.runs(steps, _BATCH, _REPLICAS, rng), 1):
        if k in _TIMES:
            found.append(float((population.modes(logits) ** 2).mean()))
    return np.array(found)


def _first_term(kept):
    return kept / ((2.0 * kept - 1.0) * np.array(_TIMES) * _BATCH)


def _constant(kept, seen, linear, constant, share):
    scale = _TIMES[1] * _BATCH
    predicted = {"K / (2K - 1)": kept / (2.0 * kept - 1.0), "K": kept}[constant]
    statistical = _DEVIATIONS * np.sqrt(2.0 / _REPLICAS) * seen[1] * scale
    # what is left of the second term, twice: where it begins depends on the bend of the map
    left = 2.0 * abs(linear[1] - _first_term(kept)[1]) * scale
    sides = predicted, float(seen[1] * scale), float(statistical + left)
    return Comparison(*sides, predicted, {"lambda": share, "of": "n times variance"}, part=f"lambda {share}")


def _exponent(kept, seen, linear, exponent, share):
    length = np.log(_TIMES[1] / _TIMES[0])

    def slope(variances):
        rest = variances - _first_term(kept)
        return -0.5 * float(np.log(rest[1] / rest[0])) / length

    predicted = {"1 - lambda": kept, "1/2": 0.5, "lambda": 1.0 - kept}[exponent]
    shares = seen / (seen - _first_term(kept))
    statistical = _DEVIATIONS * np.sqrt(0.5 / _REPLICAS) * float(np.hypot(*shares)) / length
    sides = predicted, slope(seen), statistical + 2.0 * abs(slope(linear) - kept)
    return Comparison(*sides, 0.5, {"lambda": share, "of": "exponent of the error"}, part=f"lambda {share}")


CLAIM = Claim(
    id="O3-decreasing-step",
    statement="Online EM with steps 1/k has variance K/(2K-1)/n if lambda < 1/2, else error n^-(1-lambda).",
    latex=r"n v_n \to K/(2K - 1)\ (\lambda < 1/2), \quad v_n \sim n^{-2(1 - \lambda)}\ (\lambda > 1/2)",
    source="Cappe, Moulines 2009 (setting); constants derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("n^-1/2 whatever lambda", {"exponent": "1/2"}),
        Sabotage("n^-lambda", {"exponent": "lambda"}),
        Sabotage("variance K of a batch M-step", {"constant": "K"}),
    ),
    resolution=0.3,
    scope="population",
)
