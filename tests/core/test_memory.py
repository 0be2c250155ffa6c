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


def test_a_fit_takes_no_array_of_rows_times_parameters(python):
    ran = subprocess.run([python, "-c", SCRIPT], capture_output=True, text=True, check=True)
    # ru_maxrss counts kilobytes: 1 GB for 1e6 rows is 200 MB here; n x p doubles alone would be 80 MB more
    assert float(ran.stdout) < 200.0
