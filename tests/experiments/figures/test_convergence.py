"""Paths of algorithms: all names and points are on the page, also where every path ends at once."""

import numpy as np
import pytest

from emmd.experiments.figures import convergence

NAMES = "EM: rate 0.0000", "gradient EM, step 2.93e-09, 5 inner steps: rate 1.0000"


@pytest.mark.parametrize("steps", [(0, 0), (30, 30), (20, 400)], ids=["none", "alike", "apart"])
def test_names_and_first_points_are_on_the_page(steps):
    runs = [
        (name, 4e-12 + 0.0 * np.arange(count + 1.0) if count == 0 else 0.9 ** np.arange(count + 1.0), 0.9)
        for name, count in zip(NAMES, steps)
    ]
    figure = convergence.draw("moe, counts", runs)
    figure.canvas.draw()
    [legend] = figure.legends
    inside, page = legend.get_window_extent(), figure.bbox
    assert page.x0 <= inside.x0 < inside.x1 <= page.x1
    low, high = figure.axes[0].get_ylim()
    assert all(low < errors[0] < high for _, errors, _ in runs)
    # a path of one point has no line to be seen
    assert {line.get_marker() for line in figure.axes[0].lines[:4:2]} == {"o" if steps[0] == 0 else "None"}
