"""Pencils: eigenvalues in a metric, and the refusal of what is no metric."""

import numpy as np
import pytest
import scipy.linalg

from emmd.fits.pencil import pencil


def test_values_and_vectors_are_those_of_the_pencil():
    rng = np.random.default_rng(0)
    matrix, metric = (part.T @ part for part in rng.standard_normal((2, 30, 6)))
    # blocks of very different size
    outer = np.outer(*[10.0 ** np.arange(-6.0, 6.0, 2.0)] * 2)
    values, vectors = pencil(matrix * outer, metric * outer)
    np.testing.assert_allclose(values, scipy.linalg.eigh(matrix, metric)[0], rtol=1e-12)
    np.testing.assert_allclose(vectors.T @ (metric * outer) @ vectors, np.eye(6), atol=1e-12)


@pytest.mark.parametrize("metric", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]], [[1.0, np.nan]] * 2])
def test_what_is_no_metric_is_refused(metric):
    with pytest.raises(np.linalg.LinAlgError):
        pencil(np.eye(2), np.array(metric))
