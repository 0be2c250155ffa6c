"""
Fit, choose K, report a mixture of experts
==========================================

Diabetes progression against body-mass index and blood pressure: is one regression enough, or do several
hold in different regions? We choose the number of experts, look at the fit, and report it with intervals.
"""

import pandas as pd
from sklearn.datasets import load_diabetes

import emmd

pd.options.display.width = 120
pd.options.display.max_columns = 12
X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = X[["bmi", "bp"]]

# %%
# How many experts
# ----------------

chosen = emmd.select_experts(X, y, range(1, 5), random_state=0)
print(chosen.table)

# %%
# The display shows criteria against K; the lowest is preferred.

chosen.plot()

# %%
# The fit
# -------
# Experts are reported from the largest share of the rows to the smallest, whatever the seed.

fit = emmd.MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
fit.summary()

# %%
# What the experts say, and where the gate believes which
# -------------------------------------------------------

emmd.ExpertsDisplay.from_estimator(fit, X, y)

# %%
# Is the distribution right
# -------------------------
# Quantile residuals are normal where the mixture is.

emmd.ResidualsDisplay.from_estimator(fit, X, y)

# %%
# Predictions with intervals
# --------------------------

new = pd.DataFrame({"bmi": [22.0, 30.0, 38.0], "bp": [80.0, 95.0, 110.0]})
print(fit.predict(new).round(1))
print(fit.predict_interval(new, 0.9))

# %%
# Keep it
# -------
# ``emmd.save_model(fit, "model.json")`` writes plain JSON with a checksum; ``emmd.load_model`` reads it.
