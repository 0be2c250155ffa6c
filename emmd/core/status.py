"""How a run ended, and what to do about it."""

from enum import IntEnum


class Status(IntEnum):
    """Outcome of `emmd.minimize`; ``status.message`` tells what happened."""

    CONVERGED = 0
    ITERATION_LIMIT = 1
    DIVERGING = 2
    SINGULAR_DESIGN = 3
    LOSS_INCREASED = 4
    INNER_FAILED = 5
    EMPTY_EXPERT = 6
    VARIANCE_COLLAPSE = 7

    @property
    def message(self):
        """What happened and, unless that depends on the algorithm (`Algorithm.message`), what to do."""
        return _MESSAGES[self]

    @property
    def success(self):
        """Whether the run ended at a stationary point."""
        return self is Status.CONVERGED


_MESSAGES = {
    Status.CONVERGED: "Converged: the EM displacement is below tol at the returned point.",
    Status.ITERATION_LIMIT: (
        "Iteration limit reached before tol. Raise max_iter, loosen tol, or use an accelerated method "
        "(method='squarem' or 'anderson')."
    ),
    Status.DIVERGING: (
        "Parameters run to infinity: the data are separable (some linear predictor fits the labels, the "
        "responsibilities or an expert's counts of zero perfectly), so no finite optimum exists. Drop or "
        "combine features, use fewer experts, a ridge or a prior, or add data."
    ),
    Status.SINGULAR_DESIGN: (
        "Singular design: columns of X are linearly dependent, so the M-step has no unique solution. "
        "Drop the redundant columns."
    ),
    Status.LOSS_INCREASED: (
        "The loss increased by more than its rounding errors, or the parameters overflowed or left the "
        "model's domain: a step was too long."
    ),
    Status.EMPTY_EXPERT: (
        "An expert has lost all its rows, so its parameters are not determined. Use fewer experts, another "
        "start, or a ridge penalty."
    ),
    Status.VARIANCE_COLLAPSE: (
        "An expert fits its rows exactly and its variance runs to zero, so the likelihood is unbounded. "
        "Use fewer experts, another start, a shared variance, or remove duplicated rows."
    ),
    Status.INNER_FAILED: (
        "An inner problem could not be solved to 1e-13: a dual step left the range of the mirror map, or "
        "the data are nearly separable."
    ),
}
