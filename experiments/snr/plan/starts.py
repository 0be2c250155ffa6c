"""Where runs start: at theta*, at a distance from it, anywhere, from the data, or where a dense gate led."""

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from emmd.core.loop.solve import minimize
from emmd.estimators.starts.draw import KINDS, draw_starts
from emmd.experiments.snr.config.fields import Count, Grid, Positive, Section


class AtTruth(Section):
    """One start at theta* itself."""

    kind: Literal["truth"]

    def each(self):
        """Return the starts as plain dicts."""
        return [{"kind": self.kind}]

    @staticmethod
    def draw(start, sample, rng):
        """Return theta*."""
        return sample.truth.copy()


class AtDistance(Section):
    """Starts theta* + r ||theta*|| u, u uniform on the unit sphere.

    Attributes
    ----------
    distance : list of float
        r, in units of ||theta*||.
    count : int
        Starts per distance.
    """

    kind: Literal["distance"]
    distance: Grid[Positive]
    count: Count = 1

    def each(self):
        """Return the starts as plain dicts."""
        return [
            {"kind": self.kind, "distance": distance, "index": k}
            for distance in self.distance
            for k in range(self.count)
        ]

    @staticmethod
    def draw(start, sample, rng):
        """Return a point at the start's distance from theta*."""
        direction = rng.standard_normal(len(sample.truth))
        length = start["distance"] * np.linalg.norm(sample.truth)
        return sample.truth + length * direction / np.linalg.norm(direction)


class AtRandom(Section):
    """Starts that know nothing of theta*: independent N(0, scale^2 / d) entries, or the model's own.

    Attributes
    ----------
    scale : list of float
        Root mean square of the predictors at the start.
    count : int
        Starts per scale.
    """

    kind: Literal["random"]
    scale: Grid[Positive] = Field(default=[1.0])
    count: Count = 1

    def each(self):
        """Return the starts as plain dicts."""
        return [
            {"kind": self.kind, "scale": scale, "index": k} for scale in self.scale for k in range(self.count)
        ]

    @staticmethod
    def draw(start, sample, rng):
        """Return a random point."""
        model = sample.problem.model
        if not model.n_features:
            # of a model without features nobody else knows what is of moderate size
            return model.random_point(sample.problem.data, rng)
        size = start["scale"] / np.sqrt(model.n_features)
        return size * rng.standard_normal(model.n_params) / model.parameter_scale(sample.problem.data)


class FromData(Section):
    """The starts of the estimators: k-means, random responsibilities and random parameters, in turn.

    Attributes
    ----------
    count : int
    """

    kind: Literal["data"]
    count: Count = 1

    def each(self):
        """Return the starts as plain dicts."""
        return [{"kind": self.kind, "index": k} for k in range(self.count)]

    @staticmethod
    def draw(start, sample, rng):
        """Return the start of the kind that is due."""
        position = start["index"] % len(KINDS)
        return draw_starts(sample.problem, position + 1, int(rng.integers(2**31)))[position].theta


class FromDense(Section):
    """Where EM under a softmax gate comes to from a start of kind ``data``.

    Attributes
    ----------
    iterations : int
        EM's, at most.
    count : int
    """

    kind: Literal["dense"]
    iterations: Count = 100
    count: Count = 1

    def each(self):
        """Return the starts as plain dicts."""
        return [{"kind": self.kind, "iterations": self.iterations, "index": k} for k in range(self.count)]

    @staticmethod
    def draw(start, sample, rng):
        """Return the last point of the dense path."""
        first = FromData.draw(start, replace(sample, problem=sample.dense), rng)
        return minimize(sample.dense, first, max_iter=start["iterations"]).x


Start = Annotated[AtTruth | AtDistance | AtRandom | FromData | FromDense, Field(discriminator="kind")]
_DRAW = {
    "truth": AtTruth.draw,
    "distance": AtDistance.draw,
    "random": AtRandom.draw,
    "data": FromData.draw,
    "dense": FromDense.draw,
}


def draw_start(start, sample, seed):
    """Return the start point that a plain dict describes, shape (p,)."""
    return _DRAW[start["kind"]](start, sample, np.random.default_rng(seed))
