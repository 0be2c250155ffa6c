"""
Verify a theorem of your own in fifteen minutes
===============================================

You believe something about EM. Here you turn it into a claim, see it hold, see its false variant fall, and
see what happens when you were wrong.
"""

from itertools import pairwise

import numpy as np

import emmd
from emmd import theory
from emmd.data.snr import snr_parameters
from emmd.theory import Claim, Comparison, Kind, Sabotage

# %%
# Data and a start
# ----------------
# A thousand rows from two symmetric linear experts, at signal-to-noise ratios of 2 and 1.

truth = snr_parameters(4, snr_expert=2.0, snr_gate=1.0, cosine=0.3)
model = emmd.SymMoLinE(4)
X, y, _ = model.sample(truth, 1000, seed=0)
problem = emmd.Problem(model, X, y)
theta0 = 0.5 * truth

# %%
# The statement
# -------------
# Say we believe that a step of EM moves at most as far as the last one did, in the metric of the complete
# information. ``measure`` yields both sides and compares nothing. The ``budget`` bounds the error of their
# difference, here the rounding of a few hundred operations on numbers of the size of the sides.


def measure(lab, factor=1.0):
    """Compare the length of each step with that of the step before."""
    path = lab.path(lab.theta0, steps=12)
    metric = lab.information.complete
    steps = np.diff(path.theta, axis=0)
    lengths = np.sqrt(np.einsum("ti,ij,tj->t", steps, metric, steps))
    for t, (before, after) in enumerate(pairwise(lengths)):
        yield Comparison(
            predicted=factor * float(before),
            observed=float(after),
            budget=1e-12 * float(lengths[0]),
            scale=float(before),
            where={"iteration": t},
        )


# %%
# A statement that cannot fail says nothing: the sabotage claims that steps shrink by a factor of 100 each
# time.

claim = Claim(
    id="Z2-steps-shrink",
    statement="A step of EM is at most as long as the one before.",
    latex=r"\|\theta_{t+2} - \theta_{t+1}\|_{H_A} \le \|\theta_{t+1} - \theta_t\|_{H_A}",
    source="this tutorial",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(Sabotage("a hundredth as long", {"factor": 0.01}),),
)

(record,) = theory.verify(problem, theta0, claims=[claim])
print(record.verdict, "with slack", record.slack)
print(record.sabotages[0].name, "->", record.sabotages[0].verdict)

# %%
# Being wrong
# -----------
# Now claim that each step is at most a tenth of the last. The record holds the counter-example.

bold = Claim(
    id="Z3-steps-shrink-fast",
    statement="A step of EM is at most a tenth as long as the one before.",
    latex=r"\|\theta_{t+2} - \theta_{t+1}\|_{H_A} \le \tfrac{1}{10} \|\theta_{t+1} - \theta_t\|_{H_A}",
    source="this tutorial",
    kind=Kind.UPPER_BOUND,
    measure=lambda lab, factor=0.1: measure(lab, factor),
    sabotages=(Sabotage("a hundredth as long", {"factor": 0.01}),),
)
(wrong,) = theory.verify(problem, theta0, claims=[bold])
print(wrong.verdict, wrong.where)

# %%
# What theory says
# ----------------
# The factor by which steps shrink in the end is the largest eigenvalue of the missing information,
# predicted from Hessians at the optimum. The figure shows both: the lengths and the predicted slope, a
# straight line.

import matplotlib.pyplot as plt

run = emmd.minimize(problem, theta0, tol=1e-13, record=True)
rate = theory.predicted_rate(problem, run.x)
steps = np.diff(run.trace.theta, axis=0)
metric = problem.complete_hessian(run.x)
lengths = np.sqrt(np.einsum("ti,ij,tj->t", steps, metric, steps))

fig, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
t = np.arange(len(lengths))
axes.semilogy(t, lengths, "o-", color="#0072B2", label="length of step t")
axes.semilogy(t, lengths[-2] * rate ** (t - t[-2]), "--", color="0.2", label=f"predicted slope {rate:.3f}")
axes.set(xlabel="t", ylabel="length in the metric of the complete information")
axes.legend()
fig.show()

# %%
# Put ``claim`` into a file ``mine.py``, and the command line runs it on all shipped problems, on your
# table, or on your model: ``emmd verify --claims mine.py --claim Z2``.
