"""Complex steps next to the end of a function's domain."""

import numpy as np
import pytest

from emmd.core.numerics.derivatives import row_gradient


@pytest.mark.parametrize("distance", [1e-149, 1e-139, 1e-8, 1.0, 1e8])
def test_the_mean_of_a_small_rate_is_the_shape_over_it(distance):
    """An absolute step of 1e-100 is beyond the end of the domain where the derivative is 1e140."""
    [[slope]] = row_gradient(lambda nu: -25.0 * np.log(-nu[:, 0]), np.array([[-distance]]))
    assert slope == pytest.approx(25.0 / distance, rel=1e-14)


def test_a_step_from_zero_is_that_of_a_number_of_order_one():
    [[slope]] = row_gradient(lambda nu: np.exp(3.0 * nu[:, 0]), np.array([[0.0]]))
    assert slope == pytest.approx(3.0, rel=1e-15)


def test_rows_have_steps_of_their_own():
    rows = np.array([[1e-139, 2.0], [3.0, 1e-20]])

    def function(points):
        return np.stack([np.log(points[:, 0]), points[:, 1] ** 2], axis=-1)

    expected = np.zeros((2, 2, 2))
    expected[:, 0, 0], expected[:, 1, 1] = 1.0 / rows[:, 0], 2.0 * rows[:, 1]
    np.testing.assert_allclose(row_gradient(function, rows), expected, rtol=1e-14)
