"""Who wakes the threads, and what is left of it in the environment."""

import importlib.util
import os
import subprocess

import pytest

SCRIPT = """
import os
import numba
from emmd.kernels.compile.threads import limit, native, number_of_threads
before = dict(os.environ)
many = number_of_threads()
assert dict(os.environ) == before
with limit(1):
    assert number_of_threads() == 1
assert number_of_threads() == many == (numba.get_num_threads() if native() else 1)
print(native())
"""


@pytest.mark.skipif(
    importlib.util.find_spec("numba.np.ufunc.omppool") is None, reason="numba was built without OpenMP"
)
@pytest.mark.parametrize(
    ("settings", "native"), [({}, "True"), ({"NUMBA_THREADING_LAYER": "workqueue"}, "False")]
)
def test_the_layer_decides_and_the_environment_stays(python, settings, native):
    # workqueue ends the program when two Python threads use it at once
    kept = {
        key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    environment = {**kept, "NUMBA_DISABLE_JIT": "0", **settings}
    ran = subprocess.run([python, "-c", SCRIPT], env=environment, text=True, capture_output=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == native
