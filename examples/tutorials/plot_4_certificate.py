"""
A certificate for your data
===========================

A certificate is a theorem about EM on one data set, from one start: where it converges to, how fast, and
from which iteration on. A computer has proved it in ball arithmetic, and anyone can prove it again from the
data alone.
"""

from pathlib import Path
from tempfile import mkdtemp

import emmd
from emmd import theory
from emmd.data.snr import snr_parameters

# %%
# Data
# ----
# Five hundred rows; on a table of your own, ``emmd certify --data FILE.csv --target COL --save FILE`` does
# the same.

truth = snr_parameters(2, snr_expert=2.0, snr_gate=1.0, cosine=0.3)
model = emmd.SymMoLinE(2)
X, y, _ = model.sample(truth, 500, seed=1)
problem = emmd.Problem(model, X, y)
theta0 = 0.5 * truth

# %%
# The theorem
# -----------

certificate = theory.certify(problem, theta0)
print(certificate.statement())

# %%
# The rate is enclosed: both numbers are proved.

print(certificate.rate)

# %%
# Keep it, and prove it again
# ---------------------------
# The file holds numbers, not trust: ``check`` proves every inequality anew.

path = Path(mkdtemp()) / "certificate.json"
certificate.save(path)
print(theory.load_certificate(path).check(problem))

# %%
# The proved bound and the path
# -----------------------------
# From iteration ``steps`` on the divergence to the optimum stays below ``basin_level * basin_rate ** (t -
# steps)``.

import matplotlib.pyplot as plt
import numpy as np

run = emmd.minimize(problem, theta0, tol=1e-14, record=True)
gaps = np.array([problem.divergence(certificate.optimum, theta) for theta in run.trace.theta])
t = np.arange(len(gaps))
bound = certificate.basin_level * certificate.basin_rate ** (t - certificate.steps)
fig, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
seen = gaps > 1e-15
axes.semilogy(t[seen], gaps[seen], "o-", color="#0072B2", label=r"$D_A(\theta^*, \theta_t)$")
inside = (t >= certificate.steps) & seen
axes.semilogy(t[inside], bound[inside], "--", color="#D55E00", label="proved bound")
axes.set(xlabel="iteration t", ylabel="divergence")
axes.legend()
fig.show()

# %%
# A failed certificate says which inequality failed, and nothing about whether EM converges.

from_afar = theory.certify(problem, 40.0 * truth, max_steps=1)
print(from_afar.certified, "-", from_afar.reason)
