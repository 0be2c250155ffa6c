"""scikit-learn's real data sets that need no download: rows held out, K experts with a softmax gate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from emmd import MixtureOfExperts, Problem
from emmd.core.checks import known_name
from emmd.experiments.snr.config.fields import Grid, NotNegative
from emmd.experiments.snr.plan.held_out import HeldOut
from emmd.experiments.snr.plan.source import Source


def _bundled(name):
    def load():
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")()
        return bunch.data, bunch.target.astype(float)

    return load


def _digits():
    """Return the digits pooled to 4 x 4: with all 64 pixels the classes are separable in every split."""
    X, y = _bundled("digits")()
    return X.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(X), -1), y


@dataclass(frozen=True)
class _DataSet:
    load: Callable
    family: str
    n_classes: int = 0


_SETS = {
    "diabetes": _DataSet(_bundled("diabetes"), "gaussian"),
    "iris": _DataSet(_bundled("iris"), "categorical", 3),
    "wine": _DataSet(_bundled("wine"), "categorical", 3),
    "breast-cancer": _DataSet(_bundled("breast_cancer"), "bernoulli", 2),
    "digits": _DataSet(_digits, "categorical", 10),
}
"""By name. Linnerud is left out: its 20 rows leave 5 to be tested on."""


class DataSetSource(Source):
    """Real regression and classification sets, each repetition another split.

    Features are standardised by the training rows, an intercept is added, and a numeric target is
    standardised, too. Splits keep the shares of classes, and do not depend on how many experts are fitted.

    Attributes
    ----------
    data : list of str
        ``diabetes`` (Gaussian experts, free variances), ``iris``, ``wine``, ``digits`` (categorical; digits
        pooled to 4 x 4) and ``breast-cancer`` (Bernoulli).
    n_experts : list of int
        K, at least 2; the measure ``one_expert`` adds K = 1.
    ridge : list of float
        Penalty ``ridge / 2`` times the squares of all coefficients, intercepts among them: those of an
        expert that keeps to one class would run to infinity.
    test_share : list of float
        Rows held out.
    """

    name: ClassVar[str] = "datasets"
    keys: ClassVar[tuple] = ("data", "test_share", "ridge", "n_experts")
    model_keys: ClassVar[tuple] = ("n_experts", "ridge")
    starts: ClassVar[tuple] = ("random", "data")
    step_words: ClassVar[tuple] = ("safe",)

    data: Grid[str]
    n_experts: Grid[Annotated[int, Field(ge=2)]]
    ridge: Grid[NotNegative] = Field(default=[1e-2])
    test_share: Grid[Annotated[float, Field(gt=0.0, lt=1.0)]] = Field(default=[0.25])

    @model_validator(mode="after")
    def _known(self):
        for data in self.data:
            known_name("data", data, _SETS)
        return self

    @staticmethod
    def draw(cell, seed):
        """Draw a split."""
        chosen = _SETS[cell["data"]]
        X, y = chosen.load()
        train, test = _split(y, cell["test_share"], chosen.n_classes, np.random.default_rng(seed))
        X, y = _standardised(X, y, train, chosen.n_classes)
        d = X.shape[1]
        ridge = cell["ridge"]
        options: dict[str, Any] = {"n_classes": chosen.n_classes} if chosen.family == "categorical" else {}
        model = MixtureOfExperts(
            d, cell["n_experts"], family=chosen.family, expert_ridge=ridge, gate_ridge=ridge, **options
        )
        return HeldOut(cell, Problem(model, X[train], y[train]), X[test], y[test])


def _split(y, share, n_classes, rng):
    from sklearn.model_selection import train_test_split

    return train_test_split(
        np.arange(len(y)),
        test_size=share,
        stratify=y if n_classes else None,
        random_state=int(rng.integers(2**31)),
    )


def _standardised(X, y, train, n_classes):
    from sklearn.preprocessing import StandardScaler

    X = X[:, np.ptp(X[train], axis=0) > 0]
    X = np.column_stack([StandardScaler().fit(X[train]).transform(X), np.ones(len(X))])
    if not n_classes:
        y = (y - y[train].mean()) / y[train].std()
    return X, y
