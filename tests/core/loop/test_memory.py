"""Memory of a fit beyond its data: a share of the 1 GB that a million rows may take."""

import subprocess

SCRIPT = """
import resource
import numpy as np, emmd
n, d, K = 200_000, 10, 3
rng = np.random.default_rng(0)
model = emmd.MixtureOfExperts(d, K)
theta = model.pack(rng.standard_normal((K, d)), rng.standard_normal((K - 1, d)), np.full(K, -1.0))
X = rng.standard_normal((n, d))
y = np.concatenate([model.sample_y(theta, part, 1) for part in np.split(X, 20)])
# kernels are compiled, and their memory counted, before
small = emmd.minimize(emmd.Problem(model, X[:40_000], y[:40_000]), theta, max_iter=2)
small.problem.informations(theta)
del small
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run = emmd.minimize(emmd.Problem(model, X, y), theta, max_iter=3)
run.problem.informations(run.x)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


ESTIMATOR = """
import resource, warnings
import numpy as np, emmd
warnings.simplefilter("ignore")
n, d, K = 200_000, 10, 3
rng = np.random.default_rng(0)
X = rng.standard_normal((n, d))
y = np.where(rng.random(n) < 0.5, X[:, 0], 1.0 - X[:, 1]) + 0.3 * rng.standard_normal(n)
def fit(X, y):
    # starts of all three kinds, k-means on the residuals among them, side by side
    fit = emmd.MixtureOfExpertsRegressor(K, n_init=3, max_iter=3, random_state=0, n_jobs=2).fit(X, y)
    fit.predict(X), fit.responsibilities(X, y)
fit(X[:40_000], y[:40_000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fit(X, y)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_the_estimator_and_its_starts_do_not_either(python):
    ran = subprocess.run([python, "-c", ESTIMATOR], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 200.0


def test_a_fit_takes_no_array_of_rows_times_parameters(python):
    ran = subprocess.run([python, "-c", SCRIPT], capture_output=True, text=True, check=True)
    # ru_maxrss counts kilobytes: 1 GB for 1e6 rows is 200 MB here; n x p doubles alone would be 80 MB more
    assert float(ran.stdout) < 200.0
