"""How an algorithm's steps shrink along the second half of its path, whether or not it came to an end.

``(||D_T|| / ||D_S||)^(1 / (T - S))``, D the steps, S = T / 2: the local rate where there is one, about 1
where a path goes on jumping, 0 where it stands still. Beside it the share of steps that raised the loss.
"""

import numpy as np

from emmd.experiments.snr.plan.measure import Measure, Scope

_STILL = 1e-12
"""Steps below this share of the parameters' size are rounding."""


def _measure(sample, algorithm, result):
    theta, loss = result.trace.theta, result.trace.loss
    steps = np.linalg.norm(np.diff(theta, axis=0), axis=1)
    if len(steps) < 4:
        return {"path_rate": 0.0 if result.success else None, "rises": 0.0}
    rises = float(np.mean(np.diff(loss) > _STILL * (1.0 + np.abs(loss[:-1]))))
    moving = np.flatnonzero(steps > _STILL * (1.0 + np.linalg.norm(theta[-1])))
    if len(moving) < 2:
        return {"path_rate": 0.0, "rises": rises}
    half, last = moving[len(moving) // 2 - 1], moving[-1]
    return {"path_rate": float((steps[last] / steps[half]) ** (1.0 / (last - half))), "rises": rises}


PATH_RATE = Measure("path_rate", Scope.RUN, _measure, ("gates", "images", "datasets"))
