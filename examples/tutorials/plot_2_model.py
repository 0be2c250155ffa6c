"""
Your own latent-variable model
==============================

Three functions make a model. Here: times that follow one of two exponential laws, of which we do not know
which, and some of which were cut off. We check the M-step, ask how fast EM is, and make it faster.
"""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

import emmd
from emmd import theory

# %%
# The model
# ---------
# The complete datum of a row is (y, z): z says which law, y is the time. With S = (1[z=k] y, 1[z=k]) it is an
# exponential family. ``natural_parameters`` maps theta to eta, ``log_partition`` is the log of the total
# mass, and ``log_numerator`` the log of the mass that is compatible with what was observed: for a row cut
# off at t, of all times beyond t. A negative number stands for a row that was cut off.


def natural_parameters(theta, x):
    """Theta holds the log odds of the second law and the two log rates."""
    log_share = jnp.array([0.0, theta[0]]) - jnp.logaddexp(0.0, theta[0])
    return jnp.concatenate([-jnp.exp(theta[1:]), log_share + theta[1:]])


def log_partition(eta):
    """Return log sum_k e^(b_k) / (-a_k): the integral of e^(a y + b) over y > 0."""
    return logsumexp(eta[2:] - jnp.log(-eta[:2]))


def log_numerator(eta, y):
    """Return the log mass of a time that was seen, or of all times beyond the cut."""
    bound = jnp.abs(y)
    beyond = jnp.where(y > 0.0, 0.0, -jnp.log(-eta[:2]))
    return logsumexp(eta[:2] * bound + eta[2:] + beyond)


model = emmd.LatentModel(3, natural_parameters, log_partition, log_numerator, name="two-laws")

rng = np.random.default_rng(0)
times = np.where(rng.random(400) < 0.4, rng.exponential(0.5, 400), rng.exponential(4.0, 400))
limit = rng.exponential(8.0, 400)
y = np.where(times < limit, times, -limit)
problem = emmd.Problem(model, None, y)
theta0 = np.array([0.0, 0.5, -1.0])

# %%
# EM, without having written an E-step or an M-step
# -------------------------------------------------

run = emmd.minimize(problem, theta0, record=True)
share, fast, slow = 1.0 / (1.0 + np.exp(-run.x[0])), *np.exp(run.x[1:])
print(run.message)
print(f"rates {fast:.2f} and {slow:.2f}, share of the second law {share:.2f}, {run.nit} iterations")

# %%
# Claims
# ------
# All claims run; these say whether the M-step is the Bregman projection (E3), whether the loss falls by
# what it must (C1), and whether the rate is the predicted one (L1, R3). *Independent* is False where both
# sides come from the same function of yours.

for record in theory.verify(problem, theta0, ["E3", "C1", "L1", "R3"]):
    print(f"{record.claim:28} {record.verdict:8} independent: {record.independent}")

# %%
# How fast, and why
# -----------------
# The eigenvalues of the missing information are the rates of EM's modes. The slow one belongs to the
# direction in which rows say least about z.

information = theory.missing_information(problem, run.x)
print("eigenvalues", np.round(information.eigenvalues, 4))
print("observed", theory.observed_rate(run))

# %%
# Faster
# ------
# Any accelerator goes around EM; the limit is the same.

import matplotlib.pyplot as plt

fig, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
for colour, method in zip(("#0072B2", "#D55E00", "#009E73"), ("em", "squarem", "anderson")):
    path = emmd.minimize(problem, theta0, method, tol=1e-11, record=True)
    gap = np.linalg.norm(path.trace.theta - path.x, axis=1)[:-1]
    axes.semilogy(path.trace.evaluations[:-1], gap, color=colour, label=f"{method}: {path.nfev} evaluations")
axes.set(xlabel="map evaluations", ylabel="distance to the limit")
axes.legend()
fig.show()
