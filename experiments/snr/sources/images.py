"""Real images, each inverted at random with probability 1/2: softmax experts and a linear gate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, model_validator
from scipy.special import logsumexp

from emmd.core.checks import known_name
from emmd.core.protocols.gate import gate_object
from emmd.data.fashion_mnist import fashion_mnist
from emmd.experiments.snr.config.fields import Count, Grid, NotNegative
from emmd.experiments.snr.plan.gated import GatedSample, gated_problems
from emmd.experiments.snr.plan.source import Source

_CLASSES = 10


def _digits():
    """Return scikit-learn's digits, 1797 images, none of them set apart for tests."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target, bunch.images[:0], bunch.target[:0]


@dataclass(frozen=True)
class _Images:
    load: Callable
    side: int
    white: float
    most: int


_SETS = {
    "fashion-mnist": _Images(fashion_mnist, 28, 255.0, 60_000),
    "digits": _Images(_digits, 8, 16.0, 1_500),
}
"""Images by name: the side in pixels, the value of white, and the most rows to train on."""


class ImageSource(Source):
    """Images pooled to ``side x side`` by averaging, grey values from -1 to 1, inverted ones negated.

    Attributes
    ----------
    data : list of str
        ``fashion-mnist`` (tested on its own 10,000 test images) or ``digits`` (on the rest).
    n : list of int
        Training images, drawn at random.
    side : list of int
        A divisor of the images' own side.
    ridge : list of float
        Penalty ``ridge / 2`` times the squares of all coefficients, intercepts among them: those of an
        expert that keeps to one class would run to infinity.
    n_experts : list of int
    gate : list of str
    """

    name: ClassVar[str] = "images"
    keys: ClassVar[tuple] = ("data", "n", "side", "ridge", "n_experts", "gate")
    model_keys: ClassVar[tuple] = ("ridge", "n_experts", "gate")
    starts: ClassVar[tuple] = ("random", "data", "dense")
    step_words: ClassVar[tuple] = ("safe",)

    data: Grid[str]
    n: Grid[Count]
    side: Grid[Count]
    ridge: Grid[NotNegative] = Field(default=[1e-4])
    n_experts: Grid[Annotated[int, Field(ge=2)]] = Field(default=[2])
    gate: Grid[str] = Field(default=["softmax"])

    @model_validator(mode="after")
    def _possible(self):
        for cell in self.cells():
            images = _SETS[known_name("data", cell["data"], _SETS)]
            if cell["n"] > images.most:
                raise ValueError(f"n must be at most {images.most} for {cell['data']}, got {cell['n']}")
            gate_object(cell["gate"])
            if images.side % cell["side"]:
                raise ValueError(f"side must divide {images.side} for {cell['data']}, got {cell['side']}")
        return self

    def require(self):
        """Load the images once, so that missing ones are told before anything runs."""
        for data in self.data:
            _SETS[data].load()

    @staticmethod
    def draw(cell, seed):
        """Draw training rows and inversions."""
        rng = np.random.default_rng(seed)
        images = _SETS[cell["data"]]
        X, y, test_X, test_y = images.load()
        order = rng.permutation(len(X))
        chosen, rest = order[: cell["n"]], order[cell["n"] :]
        if not len(test_X):
            test_X, test_y = X[rest], y[rest]
        train = _features(X[chosen], images, cell["side"], rng)
        test = _features(test_X, images, cell["side"], rng)
        rows = train[0], y[chosen].astype(float), cell["n_experts"], cell["gate"], cell["ridge"]
        problem, dense = gated_problems(*rows, family="categorical", n_classes=_CLASSES)
        return InvertedImages(cell, problem, test[0], test_y.astype(float), dense, train[1], test[1])


def _features(X, images, side, rng):
    """Return pooled grey values with an intercept, and which images are inverted."""
    width = images.side // side
    pooled = X.reshape(-1, side, width, side, width).mean(axis=(2, 4)).reshape(len(X), -1)
    inverted = rng.random(len(X)) < 0.5
    grey = (2.0 / images.white) * pooled - 1.0
    return np.column_stack([np.where(inverted[:, None], -grey, grey), np.ones(len(X))]), inverted


@dataclass
class InvertedImages(GatedSample):
    """Images with test images, and what is known of their inversion.

    Attributes
    ----------
    inverted, test_inverted : ndarray of bool
        No algorithm sees them.
    """

    inverted: np.ndarray
    test_inverted: np.ndarray

    def scores(self, theta):
        """Add how well the gate tells inverted from plain test images, whichever experts take which.

        ``gate_auc`` is the area under the ROC curve of its log odds, ``gate_agreement`` the share of images
        on the side of their kind; 1/2 is chance. An expert is of the kind that it takes the larger share of.
        """
        from sklearn.metrics import roc_auc_score

        from emmd.estimators.evaluate import log_gate

        logit = _log_odds(log_gate(self.problem.model, theta, self.test_X), self.test_inverted)
        same = float(np.mean((logit > 0) == self.test_inverted))
        auc = float(roc_auc_score(self.test_inverted, logit))
        return super().scores(theta) | {"gate_auc": max(auc, 1 - auc), "gate_agreement": max(same, 1 - same)}

    @staticmethod
    def upright(X, inverted):
        """Return features with the inversion undone."""
        sign = np.where(inverted[:, None], -1.0, 1.0)
        return np.column_stack([sign * X[:, :-1], X[:, -1]])


def _log_odds(log_gate, inverted):
    """Return the log odds of the experts that take more of the inverted images than of the plain ones."""
    share = np.exp(log_gate)
    lead = share[:, inverted].mean(axis=1) - share[:, ~inverted].mean(axis=1)
    first = lead > 0.0
    if first.all() or not first.any():
        # equal shares of both kinds, to the last digit: any division tells nothing
        first = np.arange(len(lead)) == 0
    return logsumexp(log_gate[first], axis=0) - logsumexp(log_gate[~first], axis=0)
