"""How an algorithm's steps shrink along the second half of its path, whether or not it came to an end.

``(s_T / s_H)^(1 / (T - H))``, s the sizes of steps, H = T / 2: the local rate where there is one, about 1
where a path goes on jumping, 0 where nothing is left to do. And the share of steps that raised the loss.
"""

import numpy as np

from emmd.experiments.snr.plan.measure import Measure, Scope

_ROUNDING = 1e-12


def _measure(sample, algorithm, result):
    size, loss, last = result.trace.displacement, result.trace.loss, result.nit
    rose = np.diff(loss) > _ROUNDING * (1.0 + np.abs(loss[:-1]))
    half = last // 2
    seen = last > 0 and size[half] > 0.0
    rate = float((size[last] / size[half]) ** (1.0 / (last - half))) if seen else None
    return {"path_rate": rate, "rises": float(rose.mean()) if last else 0.0}


PATH_RATE = Measure("path_rate", Scope.RUN, _measure, ("gates", "images", "datasets"))
