"""A claim of one's own: a step of EM gains at least the divergence between its iterates, or the gain of Q.

Run it with ``emmd verify --claims examples/claim.py --claim Z1``, or import CLAIM and call
``theory.verify(problem, theta0, claims=[CLAIM, "C1"])``. It holds where every comparison is within its budget
*and* the same check refutes the false variant: a claim that could not fail is "not discriminating".
"""

from emmd.theory import Claim, Comparison, Kind, Sabotage


def measure(lab, factor=1.0):
    """Yield a comparison for each step of a path; the sabotage claims `factor` times as much."""
    path = lab.path(lab.theta0, steps=30)
    for t, (before, after) in enumerate(zip(path.theta[:-1], path.theta[1:])):
        gain = lab.step_gain(before, after)
        yield Comparison(
            predicted=factor * gain,
            observed=path.loss[t] - path.loss[t + 1],
            budget=6.0 * lab.loss_error(before, after),  # rounding: both sides are sums of such terms
            scale=gain,  # a difference of a thousandth of this matters
            where={"iteration": t, "theta_t": before},  # printed where the claim is violated
        )


CLAIM = Claim(
    id="Z1-gain",
    statement="a step of EM gains at least the divergence between its iterates",
    latex=r"L(\theta_t) - L(\theta_{t+1}) \ge D_A(\theta_t, \theta_{t+1})",
    source="Kunstner, Kumar, Schmidt 2021",
    kind=Kind.LOWER_BOUND,
    measure=measure,
    # in a mode of rate lambda EM gains 1 + lambda times the divergence, which is less than twice
    sabotages=(Sabotage("it gains twice as much", {"factor": 2.0}, truth=1.0),),
)
