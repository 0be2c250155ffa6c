"""Online EM for mixing weights of known densities: a population without error, and thousands of runs at once.

y takes finitely many values, so that the optimum, M and the law of a batch are exact. The statistics are the
mean responsibilities, and the M-step takes them as weights: s' = (1 - gamma) s + gamma s_B(s).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import comb

_GRID = np.linspace(-6.0, 6.0, 13)
_TRIALS = 12


@dataclass(frozen=True)
class MixingPopulation:
    """Known densities and the weights that y is drawn with.

    Attributes
    ----------
    densities : ndarray of shape (m, K)
        Probabilities of the m values of y, columns with sum 1.
    weights : ndarray of shape (K,)
    """

    densities: np.ndarray
    weights: np.ndarray

    @cached_property
    def law(self) -> np.ndarray:
        """Probabilities of y, shape (m,)."""
        return self.densities @ self.weights

    @cached_property
    def _modes(self):
        """Eigenvalues of K = I - M and eigenvectors in the metric of H_A, in columns."""
        root = np.sqrt(self.weights)
        posterior = self.densities * self.weights / self.law[:, None]
        second = (posterior * self.law[:, None]).T @ posterior / np.outer(root, root)
        values, vectors = np.linalg.eigh(second)
        # the last one, with eigenvalue 1, changes all logits alike
        return values[:-1], root[:, None] * vectors[:, :-1]

    @property
    def kept(self) -> np.ndarray:
        """Eigenvalues of K = I - M, shape (K - 1,)."""
        return self._modes[0]

    def modes(self, logits: np.ndarray) -> np.ndarray:
        """Return errors of logits along the eigenvectors of M, in units of H_A, shape (..., K - 1)."""
        return (logits - np.log(self.weights)) @ self._modes[1]

    def runs(self, steps, batch, replicas, rng):
        """Yield the logits of many runs of online EM from the optimum after each step, shape (R, K).

        Parameters
        ----------
        steps : iterable of float
            gamma_1, gamma_2, ...
        batch, replicas : int
        rng : numpy.random.Generator
        """
        of_batch = self._ratio_of_rows if batch < len(self.law) else self._ratio_of_counts
        s = np.tile(self.weights[:, None], replicas)
        for gamma in steps:
            # the mean responsibility of a component is its weight times a mean ratio of densities
            s *= 1.0 - gamma + gamma * of_batch(s, batch, rng)
            yield np.log(s.T)

    def _ratio_of_rows(self, s, batch, rng):
        """Return mean ratios of densities in batches drawn row by row, shape (K, R)."""
        ends = np.cumsum(self.law)[:-1] / self.law.sum()
        drawn = np.searchsorted(ends, rng.random((batch, s.shape[1])), side="right")
        densities = [column[drawn] for column in self.densities.T]
        # loops over the few components: arrays of small matrices are slow
        evidence = sum(weight * each for weight, each in zip(s, densities))
        return np.array([(each / evidence).mean(axis=0) for each in densities])

    def _ratio_of_counts(self, s, batch, rng):
        """Return mean ratios of densities in batches drawn as counts of values, shape (K, R)."""
        counts = rng.multinomial(batch, self.law / self.law.sum(), size=s.shape[1]).T
        return self.densities.T @ (counts / (batch * (self.densities @ s)))


def mixing_population(kind: str, separation: float, weights: tuple) -> MixingPopulation:
    """Return evenly separated components: unit normals on a grid, or counts of labels in 12 trials.

    Parameters
    ----------
    kind : str
        ``"normal"`` or ``"binomial"``.
    separation : float
        Of neighbours' means in deviations, or of their log odds.
    weights : tuple of float
    """
    places = separation * (np.arange(len(weights)) - 0.5 * (len(weights) - 1))
    if kind == "normal":
        densities = np.exp(-0.5 * (_GRID[:, None] - places) ** 2)
    else:
        labels = np.arange(_TRIALS + 1)[:, None]
        densities = comb(_TRIALS, labels) * np.exp(labels * places)
    return MixingPopulation(densities / densities.sum(axis=0), np.array(weights))


def with_missing(kind: str, share: float, weights: tuple = (0.6, 0.4)) -> MixingPopulation:
    """Return two components so far apart that lambda_max(M) is `share`, by bisection."""
    low, high = 1e-3, 12.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        missing = 1.0 - mixing_population(kind, middle, weights).kept[0]
        low, high = (middle, high) if missing > share else (low, middle)
    return mixing_population(kind, middle, weights)


def linear_variances(kept: float, steps: np.ndarray, batch: int) -> tuple[np.ndarray, float]:
    """Return what a mode's variances would be were EM's map linear, and that of the mean of all iterates.

    Parameters
    ----------
    kept : float
        An eigenvalue of K = I - M; the noise of a step has variance kept / batch in units of H_A.
    steps : ndarray of shape (T,)
    batch : int

    Returns
    -------
    variances : ndarray of shape (T,)
    of_mean : float
    """
    variance = with_sum = of_sum = 0.0
    variances = np.empty(len(steps))
    for k, gamma in enumerate(steps):
        left = 1.0 - gamma * kept
        variance = left * left * variance + gamma * gamma * kept / batch
        of_sum += 2.0 * left * with_sum + variance
        with_sum = left * with_sum + variance
        variances[k] = variance
    return variances, of_sum / len(steps) ** 2


def kind_of(lab) -> str:
    """Return the densities that go with a laboratory's model: of numbers, or of labels."""
    return "normal" if lab.model.has_density else "binomial"
