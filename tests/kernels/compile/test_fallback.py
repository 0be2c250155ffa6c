"""On a version of Numba that was not tested, or without a private name of it, plain njit compiles kernels."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import json, sys
import numba
import numpy as np
BEFORE
import emmd
from emmd.kernels.compile import jit

found = []
for model in (emmd.SymMoLinE(2), emmd.MixtureOfExperts(2, 2)):
    theta = np.linspace(-1.0, 1.0, model.n_params)
    X, y, _ = model.sample(theta, 300, 0)
    found += emmd.Problem(model, X, y).em_step(theta).tolist()
print(json.dumps([jit.internals is None, found]))
"""
CHANGES = {
    "as it is": "",
    "a newer version": "numba.__version__ = '99.1.0'",
    "a name is gone": "import numba.core.caching; del numba.core.caching.InTreeCacheLocator",
    "a module is gone": "sys.modules['numba.parfors.parfor_lowering'] = None",
}


def _run(python, folder, change):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", "NUMBA_CACHE_DIR": str(folder)}
    script = SCRIPT.replace("BEFORE", CHANGES[change])
    ran = subprocess.run([python, "-c", script], env=environment, text=True, capture_output=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the kernels say on the version of Numba that is there."""
    fallen_back, found = _run(sys.executable, tmp_path_factory.getbasetemp() / "unused", "as it is")
    assert not fallen_back
    return found


@pytest.mark.parametrize("change", list(CHANGES)[1:])
def test_plain_njit_takes_the_place_of_what_is_not_there(python, tmp_path_factory, expected, change):
    # one folder: what one of them has compiled serves another
    folder = tmp_path_factory.getbasetemp() / "plain"
    fallen_back, found = _run(python, folder, change)
    assert fallen_back
    # sums of 300 terms, in another order
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert list(folder.rglob("*.nbc"))
