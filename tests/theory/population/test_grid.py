"""Many points in one call."""

import numpy as np
import pytest

from emmd.theory.population.spectrum.grid import population_grid
from emmd.theory.population.spectrum.spectrum import population


@pytest.mark.parametrize("model", ["symmoline", "symmologe"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_grid_equals_its_points(model, jobs):
    expert, gate = np.array([0.1, 3.0, 50.0]), np.array([0.5, 20.0])
    seen = []
    grid = population_grid(
        model, expert[:, None], gate, 0.6, 3, jobs=jobs, progress=lambda *counts: seen.append(counts)
    )
    assert grid.rate.shape == grid.error.shape == (3, 2)
    for i, a in enumerate(expert):
        for j, b in enumerate(gate):
            spectrum = population(model, a, b, 0.6)
            assert (grid.rate[i, j], grid.error[i, j]) == (spectrum.rate(3), spectrum.error)
    assert seen == [(k, 6) for k in range(1, 7)]


def test_a_bar_goes_to_standard_error_of_a_terminal(capsys, monkeypatch):
    population_grid("symmoline", [1.0, 2.0], 0.0, 1.0, 2, progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    population_grid("symmoline", [1.0, 2.0], 0.0, 1.0, 2, progress=True)
    shown = capsys.readouterr()
    assert "rates" in shown.err
    assert shown.out == ""


def test_scalars_make_a_grid_of_one_point():
    assert population_grid("symmoline", 1.0, 0.0, 1.0, 2).rate.shape == ()


def test_bad_input():
    with pytest.raises(ValueError, match="broadcast"):
        population_grid("symmoline", [1.0, 2.0], [1.0, 2.0, 3.0], 0.0, 2)
    with pytest.raises(ValueError, match="snr_expert must be between"):
        population_grid("symmoline", [-1.0], 1.0, 0.0, 2)
    with pytest.raises(ValueError, match="snr_gate must be finite"):
        population_grid("symmoline", 1.0, [np.inf], 0.0, 2)
    with pytest.raises(ValueError, match="d must be at least 2"):
        population_grid("symmoline", 1.0, 1.0, 0.0, 1)
    with pytest.raises(ValueError, match="jobs must be at least 1"):
        population_grid("symmoline", 1.0, 1.0, 0.0, 2, jobs=0)
    with pytest.raises(TypeError, match="progress must be True, False, None or callable, got 3"):
        population_grid("symmoline", 1.0, 1.0, 0.0, 2, progress=3)
