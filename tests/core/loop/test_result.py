"""What a run returns: a line for people, a table for notebooks, scipy's fields for programs."""

import numpy as np
from scipy.optimize import OptimizeResult

import emmd


def test_a_result_is_scipys_and_prints_in_a_line():
    model = emmd.SymMoLinE(2)
    X, y, _ = model.sample([1.0, 0.5, 0.3, -0.2], 100, 0)
    result = emmd.minimize(emmd.Problem(model, X, y), np.ones(4), tol=1e-4)
    assert isinstance(result, OptimizeResult)
    assert result["fun"] == result.fun
    assert repr(result) == f"em: converged after {result.nit} iterations, loss {result.fun:.12g}"
    table = result.to_frame()
    np.testing.assert_array_equal(table["loss"], result.trace.loss)
    assert table.index[-1] == result.nit
    assert result._repr_html_().count("<table") == 1
