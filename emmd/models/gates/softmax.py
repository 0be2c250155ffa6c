"""Softmax gate: probabilities proportional to e^(x'w_k), w_K = 0."""

from emmd.core.gate import Gate
from emmd.fits.multinomial import fit_multinomial, log_softmax, with_reference


class Softmax(Gate):
    """P(z = k | x) = softmax_k(x'w_k): multinomial logistic regression, the last expert as reference."""

    name = "softmax"
    canonical = True

    def log_weights(self, logits, selected=None):
        """Return the logits, and 0 for the last expert."""
        return with_reference(logits)

    def log_probabilities(self, logits, selected=None):
        """Return the log of the softmax, shape (K, n)."""
        return log_softmax(logits)

    def fit(self, rows, start, form=None):
        """Fit the multinomial logistic regression by its kernels."""
        return fit_multinomial(rows, start, form)
