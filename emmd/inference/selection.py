"""How many experts: one table of mixtures of several sizes, and the best of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from emmd.core.checks import MANY, describe, instance, known_name, positive_integer
from emmd.core.status import Status
from emmd.estimators.base import MixtureOfExpertsBase
from emmd.estimators.regressor import MixtureOfExpertsRegressor

CRITERIA = ("aic", "bic", "adjusted_bic", "icl")


@dataclass(frozen=True)
class Selection:
    """Mixtures of several sizes, fitted to the same data.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each number of experts: ``loglik, n_params, aic, bic, adjusted_bic, icl, entropy, status,
        starts_at_best, n_starts``.
    best : int
        The number of experts with the lowest criterion, among fits whose likelihood is bounded if any is.
    criterion : str
    estimators : dict of int to estimator
        The fits themselves.
    """

    table: Any
    best: int
    criterion: str
    estimators: dict

    @property
    def best_estimator(self) -> Any:
        """The fit with the best number of experts."""
        return self.estimators[self.best]

    def plot(self, ax: Any = None) -> Any:
        """Draw all criteria against the number of experts; return a `SelectionDisplay`."""
        from emmd.displays.selection import SelectionDisplay

        return SelectionDisplay.from_selection(self, ax=ax)

    def to_frame(self) -> Any:
        """Return the table."""
        return self.table

    def __repr__(self) -> str:
        return f"{self.best} experts by {self.criterion}\n{self.table}"

    def _repr_html_(self) -> str:
        return f"<p>{self.best} experts by {self.criterion}</p>{self.table.to_html()}"


def select_experts(
    X: ArrayLike,
    y: ArrayLike,
    n_experts: Iterable[int] = range(1, 6),
    *,
    estimator: Any = None,
    criterion: str = "bic",
    sample_weight: ArrayLike | None = None,
    **options: Any,
) -> Selection:
    """Fit mixtures of several sizes and choose among them.

    Parameters
    ----------
    X : array_like of shape (n, d)
    y : array_like of shape (n,)
    n_experts : iterable of int
        The numbers of experts to try.
    estimator : estimator, optional
        What is fitted, a `MixtureOfExpertsRegressor` by default; it stays as it is.
    criterion : "aic", "bic", "adjusted_bic" or "icl"
    sample_weight : array_like of shape (n,), optional
    **options
        Parameters of the estimator.

    Returns
    -------
    Selection

    Examples
    --------
    >>> import numpy as np, emmd
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 1))
    >>> y = np.where(rng.random(200) < 0.5, 1.0, -1.0) * X[:, 0] + 0.1 * rng.standard_normal(200)
    >>> emmd.select_experts(X, y, range(1, 4), random_state=0).best
    2
    """
    from pandas import DataFrame, Index

    known_name("criterion", criterion, CRITERIA)
    model = MixtureOfExpertsRegressor() if estimator is None else estimator
    model = clone(instance("estimator", model, MixtureOfExpertsBase, "an estimator of emmd"))
    model.set_params(**options)
    if not np.iterable(n_experts) or isinstance(n_experts, str | bytes | bytearray):
        raise TypeError(f"n_experts must be a sequence of whole numbers, got {describe(n_experts)}")
    sizes = [positive_integer("n_experts", size, maximum=MANY) for size in n_experts]
    if not sizes or len(set(sizes)) < len(sizes):
        raise ValueError(f"n_experts must hold distinct numbers of experts, got {describe(sizes)}")
    fits = {size: clone(model).set_params(n_experts=size).fit(X, y, sample_weight) for size in sizes}
    index = Index(list(fits), name="n_experts")
    table = DataFrame([_row(fit) for fit in fits.values()], index=index)
    bounded = [size for size, fit in fits.items() if fit.status_ != Status.VARIANCE_COLLAPSE]
    best = table.loc[bounded or sizes, criterion].idxmin()
    return Selection(table, int(best), criterion, fits)


def _row(fit):
    return {
        "loglik": fit.loglik_,
        "n_params": fit.n_params_,
        **{name: getattr(fit, name)() for name in CRITERIA},
        "entropy": fit.entropy_,
        "status": fit.status_.name.lower(),
        "starts_at_best": fit.starts_at_best_,
        "n_starts": len(fit.starts_),
    }
