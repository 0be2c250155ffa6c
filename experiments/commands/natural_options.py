"""The options under which algorithms are compared fairly: each with its best constant step."""

import numpy as np

from emmd.theory.numeric.rates.predicted import best_step

_INNER_STEPS = 5


def natural_options(name, information, hessian):
    """Return the options under which an algorithm is compared: its best constant step."""
    if name == "mirror_descent":
        return {"step_size": float(best_step(information.eigenvalues))}
    if name == "over_relaxation":
        return {"relaxation": float(best_step(information.eigenvalues))}
    if name == "gradient_em":
        step = 1.0 / np.linalg.eigvalsh(information.complete)[-1]
        return {"step_size": float(step), "inner_steps": _INNER_STEPS}
    if name == "gradient_descent":
        values = np.linalg.eigvalsh(hessian)
        return {"step_size": float(2.0 / (values[0] + values[-1]))}
    return {}
