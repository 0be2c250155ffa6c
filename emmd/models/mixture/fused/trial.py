"""A family's compiled loss is tried against the density that it is the loss of."""

from functools import cache

import numpy as np

_ROWS = 5
_PREDICTORS = np.linspace(-1.5, 1.5, 5)
_ROUNDING = 1e-9


def check_scalar_loss(family, y):
    """Raise a ValueError unless `Family.scalar_loss` belongs to the family's log density.

    Parameters
    ----------
    family : Family
        emmd's own are tried by the tests.
    y : ndarray of shape (n,)
        Possible targets; the first few are tried.
    """
    if family.scalar_loss is not None and not type(family).__module__.startswith("emmd."):
        _tried(family, y[:_ROWS].tobytes())


@cache
def _tried(family, rows):
    y = np.frombuffer(rows)
    free = family.dispersion == "free"
    dispersion = np.array([0.3]) if free else np.empty(0)
    precision = float(family.precision(dispersion)[0]) if free else 1.0
    constant = float(family.log_constant(dispersion)[0]) if free else 0.0
    targets, bases = family.kernel_target(y), family.kernel_base(y)
    for u in _PREDICTORS:
        xi = np.tile([u, *dispersion], (len(y), 1))
        found = np.array([family.scalar_loss(float(t), float(u)) for t in targets])
        value = constant + bases - precision * found[:, 0]
        expected = {
            "value": (value, family.log_density(y, xi)),
            "slope": (-precision * found[:, 1], family.score(y, xi)[:, 0]),
            "curvature": (precision * found[:, 2], family.curvature(y, xi)[:, 0, 0]),
        }
        for name, (ours, theirs) in expected.items():
            wrong = ~(np.abs(ours - theirs) <= _ROUNDING * (1.0 + np.abs(theirs)))
            if wrong.any():
                row = int(np.argmax(wrong))
                raise ValueError(
                    f"scalar_loss of family {family.name} must belong to its log density: at y = {y[row]:g}, "
                    f"u = {u:g} its {name} makes {ours[row]:g}, expected {theirs[row]:g}"
                )
