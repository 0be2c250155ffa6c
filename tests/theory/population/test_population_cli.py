"""`emmd population` as a function, and the figures about populations."""

import json

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from emmd.experiments.commands import population_figures
from emmd.experiments.commands.population import population_command
from emmd.experiments.figures.population import monotone as population_monotone
from emmd.experiments.figures.population import slack as population_slack
from emmd.experiments.figures.style import save
from emmd.theory.population.bounds.search import BoundGrid, check_bound
from emmd.theory.population.spectrum.spectrum import population


def test_json_has_the_spectrum(capsys):
    assert population_command("symmoline", 1.0, 2.0, 0.5, 5, json_path="-") == 0
    report = json.loads(capsys.readouterr().out)
    spectrum = population("symmoline", 1.0, 2.0, 0.5)
    assert report["eigenvalues"] == spectrum.eigenvalues(5).tolist()
    assert report["rate"] == spectrum.rate(5)
    assert report["error"] == spectrum.error


def test_table_names_the_multiplicities(capsys, tmp_path):
    path = tmp_path / "spectrum.json"
    assert population_command("symmologe", 3.0, 1.0, 0.2, 7, json_path=str(path)) == 0
    printed = capsys.readouterr().out
    assert "across it" in printed
    assert "5" in printed
    assert f"{population('symmologe', 3.0, 1.0, 0.2).rate(7):.12f}" in printed
    assert len(json.loads(path.read_text())["eigenvalues"]) == 14


def test_a_violated_bound_is_exit_code_1_with_its_figure(capsys, tmp_path):
    code = population_command("symmologe", 1.0, 1.0, 0.0, 2, bound="exp(-snr_e)", out=str(tmp_path))
    assert code == 1
    assert "violated" in capsys.readouterr().out
    assert (tmp_path / "population_bound.png").stat().st_size > 10_000


def test_a_singular_point_leaves_local_figures_out(tmp_path):
    written, left_out = population_figures.write_all(tmp_path, "symmologe", 2.0, 0.0, 0.3, size=4)
    assert len(written) == 12
    assert "population_basin_symmologe" in left_out[0]
    assert "sublinear" in left_out[0]


def test_bad_input_is_one_sentence():
    with pytest.raises(ValueError, match="the bound"):
        population_command("symmoline", 1.0, 1.0, 0.0, 2, bound="evil()")
    with pytest.raises(ValueError, match="d must be at least 2"):
        population_command("symmoline", 1.0, 1.0, 0.0, 1)


FIGURES = {
    "heat map": lambda: population_figures.heat_map("symmologe", size=5),
    "scaled rate": lambda: population_figures.scaled_rate(size=6),
    "bound": lambda: population_figures.bound_against_truth(size=5),
    "paths": lambda: population_figures.paths(size=5),
    "iterations": lambda: population_figures.iterations(size=5),
    "balls": lambda: population_figures.ball(size=2),
    "basins": lambda: population_figures.basin("symmologe", 3.0, 2.0, 0.3, size=3),
    "monotone": lambda: population_monotone.draw(population_figures.rate_grids("symmoline", 5), 1),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn(name, tmp_path):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    save(figure, tmp_path, "figure")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_slack_map_marks_where_a_bound_fails():
    grid = BoundGrid((0.1, 1.0), (0.1, 1.0, 10.0), (0.0, 0.5, 1.0), 2)
    check = check_bound("1 / sqrt(1 + snr_e**2)", "symmoline", grid=grid, effort=1)
    crosses = [c for axes in population_slack.draw(check).axes for c in axes.collections]
    crossed = sum(len(c.get_offsets()) for c in crosses if isinstance(c, PathCollection))
    assert crossed == np.count_nonzero(check.slack < 0) > 0
