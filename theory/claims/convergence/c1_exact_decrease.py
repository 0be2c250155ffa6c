"""C1: the decrease of the loss in one EM step is a divergence plus a posterior KL divergence, exactly."""

from itertools import pairwise

import numpy as np

from emmd.theory.assumptions import linear_model_set, proper_step, regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.rounding import inner_rounding
from emmd.theory.numeric.spread import spread_indices

_STEPS = 30
"""Of a longer path: all the first ones, then geometrically fewer."""


def measure(lab, reverse=False, gain=1.0, **walk):
    """Compare losses with divergences along a path of EM, or of the algorithm that `walk` names.

    On a curved model set the gain of Q takes the place of the divergence; that form holds for any two points,
    so an M-step that is not exact does not show there.
    """
    path = lab.path(lab.theta0, **walk)
    pairs = list(pairwise(path.theta))
    for t in spread_indices(len(pairs), _STEPS):
        before, after = pairs[t]
        decrease = path.loss[t] - path.loss[t + 1]
        pair = (before, after) if reverse else (after, before)
        # the identity is exact at an exact M-step; a residual r enters as <r, theta_t - theta_{t+1}>
        inexact = inner_rounding(lab.problem, 1e-13, after) + lab.gradient_error(after)
        rounding = lab.loss_error(before, after) + gain * lab.step_gain_error(before, after)
        yield Comparison(
            predicted=decrease,
            observed=gain * lab.step_gain(before, after) + lab.problem.posterior_divergence(*pair),
            budget=rounding + lab.posterior_error(*pair) + float(inexact @ np.abs(after - before)),
            scale=abs(decrease),
            where={"iteration": int(t), "theta_t": before, "theta_t+1": after},
        )


CLAIM = Claim(
    id="C1-exact-decrease",
    statement="L_t - L_{t+1} is D_A(theta_t, theta_{t+1}) plus the KL divergence of the posteriors.",
    latex=r"L_t - L_{t+1} = D_A(\theta_t, \theta_{t+1}) + E\,KL(p_t(z|x,y) \| p_{t+1}(z|x,y))",
    source="derived; Kunstner, Kumar, Schmidt 2021 give the inequality",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step", "m_step", "divergence"),
    sabotages=(
        Sabotage(
            "mirror step 1.1", {"method": "mirror_descent", "step_size": 1.1}, assumptions=(linear_model_set,)
        ),
        Sabotage(
            "mirror step 0.9", {"method": "mirror_descent", "step_size": 0.9}, assumptions=(linear_model_set,)
        ),
        Sabotage(
            "one Newton step for the M-step", {"method": "generalized_em"}, assumptions=(linear_model_set,)
        ),
        Sabotage("reversed posterior KL", {"reverse": True}),
        Sabotage("the gain a tenth too large", {"gain": 1.1}, truth=1.0),
    ),
    assumptions=(regular_design, proper_step),
    proof="C1",
)
