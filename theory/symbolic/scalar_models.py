"""The two symmetric mixtures of experts, one observation at a time, in the scalars (a, b, y).

Only primitives live here: the joint density and what is needed to read it.  Loss, posterior,
sufficient statistics, mirror map and all identities are derived from it by sympy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

STATES = (1, -1)
"""Values of the latent expert z."""

_A, _B, _Y = sp.symbols("a b y", real=True)


@dataclass(frozen=True)
class ScalarModel:
    r"""One observation of a symmetric two-expert model, as a function of two scalars.

    The features enter through ``a`` (expert score) and ``b = x'w`` (gate score) alone, and both
    are linear in the parameter ``theta = (beta, w)``; the chain rule carries every identity in
    ``(a, b)`` to every dimension.

    Attributes
    ----------
    name : str
        Key of the model.
    a, b, y : sympy.Symbol
        The symbols of expert score, gate score and response; all real.
    joint : callable
        ``joint(z)``: the expression of ``log p(y, z | x)`` for ``z`` in ``STATES``.
    log_carrier : sympy.Expr
        ``log h(y)``, the part of the joint that is not charged to the mirror map.  It fixes only
        the additive constant of the mirror map.
    outcomes : tuple of int or None
        The values of ``y``, or None when ``y`` runs over the real line.
    reference : tuple of int
        The ``(y, z)`` at which the sufficient statistics are zero.  It fixes only the linear part
        of the mirror map.
    """

    name: str
    a: sp.Symbol
    b: sp.Symbol
    y: sp.Symbol
    joint: Callable[[int], sp.Expr]
    log_carrier: sp.Expr
    outcomes: tuple[int, ...] | None
    reference: tuple[int, int]

    @property
    def eta(self) -> tuple[sp.Symbol, sp.Symbol]:
        """The natural parameter ``(a, b)``."""
        return self.a, self.b

    @property
    def cases(self) -> tuple[sp.Expr, ...]:
        """What ``y`` must be replaced by to cover all its values: itself, or each outcome."""
        return (self.y,) if self.outcomes is None else tuple(sp.Integer(y) for y in self.outcomes)


def _log_sigmoid(t: sp.Expr) -> sp.Expr:
    return -sp.log(1 + sp.exp(-t))


_LOG_GAUSS_CONSTANT = sp.log(2 * sp.pi) / 2

SYMMOLINE = ScalarModel(
    name="symmoline",
    a=_A,
    b=_B,
    y=_Y,
    # a = x'beta / sigma and y in units of sigma; log sigma is left to the caller.
    joint=lambda z: _log_sigmoid(z * _B) - (_Y - z * _A) ** 2 / 2 - _LOG_GAUSS_CONSTANT,
    log_carrier=-(_Y**2) / 2 - _LOG_GAUSS_CONSTANT,
    outcomes=None,
    reference=(0, -1),
)
"""Two symmetric linear experts: ``P(z=1|x) = sigm(b)``, ``y | x, z ~ N(z a, 1)``."""

SYMMOLOGE = ScalarModel(
    name="symmologe",
    a=_A,
    b=_B,
    y=_Y,
    joint=lambda z: _log_sigmoid(z * _B) + _log_sigmoid(_Y * z * _A),
    log_carrier=sp.S.Zero,
    outcomes=(1, -1),
    reference=(1, -1),
)
"""Two symmetric logistic experts: ``P(z=1|x) = sigm(b)``, ``P(y|x, z) = sigm(y z a)``."""

_MODELS = {model.name: model for model in (SYMMOLINE, SYMMOLOGE)}


def model_names() -> list[str]:
    """Return the names of the models that have a scalar form."""
    return list(_MODELS)


def scalar_model(name: str) -> ScalarModel:
    """Return the scalar model called `name`.

    Parameters
    ----------
    name : str
        "symmoline" or "symmologe".

    Returns
    -------
    ScalarModel

    Raises
    ------
    ValueError
        If no model has that name.
    """
    if name not in _MODELS:
        raise ValueError(f"unknown scalar model {name!r}; choose one of {sorted(_MODELS)}")
    return _MODELS[name]
