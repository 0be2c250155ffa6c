"""A claim of one's own: a step of EM gains at least the divergence between its iterates, or the gain of Q.

Run it with ``emmd verify --claims examples/claim.py --claim Z1``, or import CLAIM and call
``theory.verify(problem, theta0, claims=[CLAIM, "C1"])``. It holds where every comparison is within its budget
(here rounding: both sides are sums of terms like a loss's) *and* the same check refutes the false variant: a
claim that could not fail is "not discriminating".
"""

from emmd.theory import Claim, Comparison, Kind, Sabotage


def measure(lab, factor=1.0):
    path = lab.path(lab.theta0, steps=30)
    for t, (before, after) in enumerate(zip(path.theta[:-1], path.theta[1:])):
        gain, budget = lab.step_gain(before, after), 6.0 * lab.loss_error(before, after)
        yield Comparison(factor * gain, path.loss[t] - path.loss[t + 1], budget, where={"iteration": t})


CLAIM = Claim(
    id="Z1-gain",
    statement="a step of EM gains at least the divergence between its iterates",
    kind=Kind.LOWER_BOUND,
    measure=measure,
    # in a mode of rate lambda EM gains 1 + lambda times the divergence, which is less than twice
    sabotages=[Sabotage("it gains twice as much", {"factor": 2.0}, truth=1.0)],
)
