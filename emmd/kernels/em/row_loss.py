"""What a family of experts tells the kernels of its mixtures: the loss of a block of rows, and derivatives.

The density of a row is ``exp(-precision loss(t, u) + constant + base)`` with t made of the target, u the
expert's linear predictors, precision and constant numbers of the expert, base a number of the row.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from emmd.kernels.compile.jit import inlined, named_after


@dataclass(frozen=True)
class RowLoss:
    """Kernels over the first m rows of a block.

    Attributes
    ----------
    values : kernel
        ``(t, u, m, scratch, out)``: write the losses for predictors u of shape (n_linear, BLOCK).
    slopes : kernel
        ``(t, u, weight, m, scratch, out)``: write the derivatives in the predictors, times the weights, shape
        (n_linear, BLOCK); u is turned into what `curvature` needs. Return the weighted sum of the losses,
        or 0 where `with_loss` is not set.
    curvature : kernel
        ``(u, weight, j, k, m, out)``: write second derivatives in the predictors j and k, times the weights;
        to be called after `slopes`. Return their sum.
    entropy : float
        The most that the loss at 0 exceeds the least loss by, averaged over rows; infinite where there is no
        such bound.
    """

    values: Callable
    slopes: Callable
    curvature: Callable
    entropy: float = math.inf


@cache
def scalar_row_loss(loss: Any, with_loss: bool = False, entropy: float = math.inf) -> RowLoss:
    """Return the kernels of a loss of one predictor.

    Parameters
    ----------
    loss : compiled function
        ``(t, u) -> (value, slope, curvature)`` of numbers.
    with_loss : bool
        Whether the M-step needs the loss itself, as that of a dispersion does.
    entropy : float
        See `RowLoss`.
    """

    @inlined
    @named_after(loss)
    def values(t, u, m, scratch, out):
        for i in range(m):
            out[i] = loss(t[i], u[0, i])[0]

    @inlined
    @named_after(loss)
    def slopes(t, u, weight, m, scratch, out):
        for i in range(m):
            _, slope, curvature = loss(t[i], u[0, i])
            out[0, i] = weight[i] * slope
            u[0, i] = curvature
        return 0.0

    @inlined
    @named_after(loss)
    def slopes_and_loss(t, u, weight, m, scratch, out):
        total = 0.0
        for i in range(m):
            value, slope, curvature = loss(t[i], u[0, i])
            out[0, i] = weight[i] * slope
            u[0, i] = curvature
            total += weight[i] * value
        return total

    return RowLoss(values, slopes_and_loss if with_loss else slopes, _weighed, entropy)


@inlined
def _weighed(u, weight, j, k, m, out):
    total = 0.0
    for i in range(m):
        out[i] = weight[i] * u[0, i]
        total += out[i]
    return total
