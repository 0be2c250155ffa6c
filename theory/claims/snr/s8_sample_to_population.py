"""S8: lambda_max at a sample's own optimum tends to the population's like n^(-1/2)."""

import numpy as np

from emmd.core.problem import Problem
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.rates.information import missing_information
from emmd.theory.population.lab import at

_SIZES = (1000, 4000, 16000, 64000)
# The ends of a line carry its slope, and small samples cost little.
_REPEATS = (150, 50, 40, 40)
_POINTS = {"symmoline": (1.5, 1.0, 0.5), "symmologe": (8.0, 4.0, 0.0)}
# A normal variable is within so many standard deviations in all but 5 in 10^4 cases.
_DEVIATIONS = 3.5
# The next step of Newton's method would be about the square of this.
_CLOSE = 1e-6


def measure(lab, exponent=-0.5):
    """Compare the slope of log root-mean-square deviation against log n, by least squares over four sizes."""
    point = _POINTS[lab.model.name]
    deviations = lab.once("S8", lambda: _deviations(lab, point))
    slope, error = _slope(deviations)
    where = at(*point, sizes=_SIZES, repeats=_REPEATS, standard_error=error)
    yield Comparison(exponent, slope, _DEVIATIONS * error, 1.0, where)


def _deviations(lab, point):
    """lambda_max of samples minus the population's: for each size an array of shape (repeats,)."""
    snr_expert, snr_gate, cosine = point
    sine = np.sqrt(1 - cosine**2)
    theta = np.array([snr_expert, 0.0, snr_gate * cosine, snr_gate * sine])
    rng, truth = lab.rng("S8"), lab.spectrum(*point).rate(2)
    seeds = [rng.integers(2**63, size=count) for count in _REPEATS]
    return [
        np.array([_rate(lab.model, theta, n, seed) for seed in row]) - truth for n, row in zip(_SIZES, seeds)
    ]


def _rate(model, theta, n, seed):
    X, y, _ = model.sample(theta, n, int(seed))
    problem = Problem(model, X, y)
    return missing_information(problem, _optimum(problem, theta)).rate


def _optimum(problem, theta):
    """Newton's method on the marginal likelihood from the truth; EM where the likelihood is not convex."""
    for _ in range(100):
        hessian = problem.hessian(theta)
        if np.linalg.eigvalsh(hessian)[0] <= 0.0:
            theta = problem.em_step(theta)
            continue
        step = np.linalg.solve(hessian, problem.gradient(theta))
        # a step that leaves the neighbourhood is a step of EM instead: a small sample's likelihood may bend
        far = np.linalg.norm(step) > 0.3 * np.linalg.norm(theta)
        theta = problem.em_step(theta) if far else theta - step
        if np.abs(step).max() <= _CLOSE:
            return theta
    raise ArithmeticError("a sample's optimum was not found near the true parameter")


def _slope(deviations):
    """Least-squares slope of log rms against log n and its standard error.

    A root mean square of r normal deviations has a relative standard deviation of 1/sqrt(2 r); the kurtosis k
    of the deviations at hand makes it sqrt((k - 1) / (4 r)).
    """
    square = np.array([(row**2).mean() for row in deviations])
    kurtosis = np.array([(row**4).mean() for row in deviations]) / square**2
    variance = (kurtosis - 1) / (4 * np.array([row.size for row in deviations]))
    log_n = np.log(_SIZES)
    weights = (log_n - log_n.mean()) / ((log_n - log_n.mean()) ** 2).sum()
    return float(weights @ np.log(square) / 2), float(np.sqrt(weights**2 @ variance))


CLAIM = Claim(
    id="S8-sample-to-population",
    statement="lambda_max at a sample's own optimum differs from the population's by O(n^(-1/2)).",
    latex=r"\lambda_{\max}(\hat\theta_n) - \lambda_{\max}(\theta^*) = O(n^{-1/2})",
    source="derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(Sabotage("exponent -1", {"exponent": -1.0}), Sabotage("exponent -1/4", {"exponent": -0.25})),
    resolution=0.25,
    scope="population",
)
