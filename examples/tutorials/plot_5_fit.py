"""
Fit, choose K, report a mixture of experts
==========================================

Diabetes progression against body-mass index and blood pressure: is one regression enough, or do several
hold in different regions? We choose the number of experts, look at the fit, and report it with intervals.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes

import emmd

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = X[["bmi", "bp"]]

# %%
# How many experts
# ----------------

chosen = emmd.select_experts(X, y, range(1, 5), random_state=0)
chosen.table[["loglik", "n_params", "aic", "bic", "icl", "status"]].round(1)

# %%
# Criteria against K; the lowest is preferred.

fig, ax = plt.subplots(layout="constrained")
_ = chosen.plot(ax)

# %%
# The fit
# -------
# Experts are reported from the largest share of the rows to the smallest, whatever the seed.

fit = emmd.MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
fit.summary().round(3)

# %%
# What the experts say, and where the gate believes which
# -------------------------------------------------------
# Along the body-mass index, the blood pressure at its mean.

fig, ax = plt.subplots(layout="constrained")
_ = emmd.ExpertsDisplay.from_estimator(fit, X, y, feature="bmi", ax=ax)

# %%
# Is the distribution right
# -------------------------
# Quantile residuals are normal where the mixture is.

fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
_ = emmd.ResidualsDisplay.from_estimator(fit, X, y, random_state=0, axes=axes)

# %%
# Predictions with intervals
# --------------------------

new = pd.DataFrame({"bmi": [22.0, 30.0, 38.0], "bp": [80.0, 95.0, 110.0]})
low, high = fit.predict_interval(new, 0.9).T
new.assign(prediction=fit.predict(new), low=low, high=high).round(1)

# %%
# Keep it
# -------
# ``emmd.save_model(fit, "model.json")`` writes plain JSON with a checksum; ``emmd.load_model`` reads it.
