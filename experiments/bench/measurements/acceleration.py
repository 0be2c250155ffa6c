"""Map evaluations that accelerated EM needs, against EM, on problems where EM is slow."""

import numpy as np

import emmd
from emmd.data.snr import snr_parameters
from emmd.experiments.bench.clock import Spread
from emmd.experiments.bench.measurement import Measurement, Record, Row

_METHODS = ("anderson", "squarem", "over_relaxation")
_CLOSE = 1e-8
_SLOW = (
    (2, 800, (4.0, 0.8, 0.8), 3),
    (4, 1500, (2.0, 1.6, 0.9), 25),
    (6, 2000, (2.0, 1.0, 0.3), 41),
    (8, 2500, (2.0, 1.6, 0.9), 49),
    (8, 2500, (2.0, 1.0, 0.8), 55),
)
"""(d, n, (SNR_e, SNR_g, cosine), seed) of symmologe samples whose EM rate exceeds 0.99."""


class Acceleration(Measurement):
    """Evaluations until the predictors are within 1e-8 of the optimum, relatively; counts, not times."""

    name = "acceleration"
    order = 3

    def rows(self, options):
        """Return a row per method."""
        samples = _SLOW[:1] if options.quick else _SLOW
        return [
            Row(f"{self.name}/{m}", lambda m=m: [_compare(f"{self.name}/{m}", m, samples)]) for m in _METHODS
        ]


def _compare(name, method, samples):
    ratios = []
    for sample in samples:
        problem, start = _problem(*sample)
        optimum = emmd.minimize(problem, start, "anderson", tol=1e-12).x
        em, fast = (_evaluations(problem, start, optimum, m) for m in ("em", method))
        ratios.append(em / fast)
    return Record(
        name,
        "acceleration",
        f"{len(samples)} symmologe samples, EM rate above 0.99",
        "EM",
        Spread.of(np.array(ratios)),
        "times fewer map evaluations",
        note=f"worst {min(ratios):.1f}",
    )


def _problem(d, n, snr, seed):
    model = emmd.SymMoLogE(d)
    truth = snr_parameters(d, *snr)
    X, y, _ = model.sample(truth, n, seed)
    start = truth + 0.3 * np.random.default_rng(seed).standard_normal(2 * d) / np.sqrt(d)
    return emmd.Problem(model, X, y), start


def _evaluations(problem, start, optimum, method):
    """Return the evaluations spent until an iterate is close to a copy of the optimum."""
    run = emmd.minimize(problem, start, method, tol=1e-12, max_iter=20_000, record=True)
    model, data = problem.model, problem.data
    copies = model.equivalents(optimum)
    for theta, spent in zip(run.trace.theta, run.trace.evaluations):
        if min(model.relative_size(data, theta - copy, copy) for copy in copies) <= _CLOSE:
            return int(spent)
    raise ArithmeticError(f"{method} did not come within {_CLOSE:g} of the optimum")


MEASUREMENT = Acceleration()
