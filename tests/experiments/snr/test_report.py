"""The report: everything in one page, made from the store alone."""

import csv
import re
import subprocess

import numpy as np
import pytest

from emmd import load_runs
from emmd.experiments.figures.snr.basin import wilson
from emmd.experiments.report.tables import latex
from emmd.experiments.snr.report.paths import band
from emmd.experiments.snr.report.verdicts import verdicts
from emmd.experiments.snr.report.write import write_report
from emmd.experiments.snr.run.execute import kept_iterates
from emmd.experiments.snr.run.sweep import run_sweep
from tests.browser import CHROMIUM, FLAGS

EVERYTHING = """
name = "everything"
title = "Everything & more"
measures = ["predicted_rate", "contraction", "observed_rate", "population_rate", "snr_bound"]
figures = ["snr_error_paths", "snr_loss_paths", "snr_predicted", "snr_rate", "snr_basin", "snr_sample_size"]

[[problems]]
model = "symmoline"
n = [200, 400]
d = 2
snr_expert = 4.0
snr_gate = 0.5
cosine = 0.3

[[problems]]
model = "symmologe"
n = 500
d = 2
snr_expert = 4.0
snr_gate = 2.0
cosine = -0.3

[[starts]]
kind = "distance"
distance = [0.3, 1.0]
count = 2

[[algorithms]]
method = "em"

[[algorithms]]
method = "mirror_descent"
step_size = 1.1

[[algorithms]]
method = "squarem"
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "everything.sqlite"
    assert run_sweep(EVERYTHING, path).failed == 0
    return path


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    return write_report(store, tmp_path_factory.mktemp("out") / "deep" / "report")


def test_the_page_needs_no_network(page):
    text = page.read_text()
    assert "Everything &amp; more" in text
    assert text.count("<img ") == 6
    assert text.count("data:image/svg+xml;base64,") == 6
    assert all(
        link.startswith("data:") for link in re.findall(r"""(?:src|href)\s*=\s*["']?([^"'>]*)""", text)
    )
    assert "<script" not in text
    assert "Not drawn" not in text
    assert "36 of 36 runs ended" in text
    assert "n = [200, 400]" in text  # the config


def test_every_figure_and_table_is_a_file_too(page):
    names = {path.name for path in page.parent.iterdir()}
    for figure in ("error_paths", "loss_paths", "predicted", "rate", "basin", "sample_size"):
        for ending in ("pdf", "png", "csv", "tex"):
            assert f"everything-snr_{figure}.{ending}" in names
    assert {"everything-verdicts.csv", "everything-verdicts.tex"} <= names
    assert (page.parent / "everything-snr_rate.pdf").read_bytes()[:5] == b"%PDF-"


def test_the_same_store_gives_the_same_page(tmp_path):
    store = tmp_path / "small.sqlite"
    run_sweep(re.sub("figures = .*", 'figures = ["snr_basin"]', EVERYTHING), store)
    one, two = (write_report(store, tmp_path / name).read_text() for name in ("one", "two"))
    assert "data:image/svg+xml" in one
    assert one == two


def test_tables_say_what_the_store_says(store, page):
    runs = load_runs(store)
    chosen = runs.query("algorithm == 'EM' and model == 'symmoline' and n == 400")
    with (page.parent / "everything-snr_rate.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    row = next(row for row in rows if (row["model"], row["n"]) == ("symmoline", "400"))
    assert float(row["rate"]) == chosen["predicted_rate"].iloc[0]
    assert float(row["population_rate"]) <= float(row["snr_bound"]) < 1


def test_verdicts_hold_and_their_sabotages_are_refuted(store):
    runs = load_runs(store)
    table = verdicts(runs).set_index("claim")
    assert set(table.index.str.split("-").str[0]) == {"L1", "L2", "S4", "S6"}
    rates = table[table.index.str.startswith("L")]
    assert set(rates["verdict"]) == {"holds"}
    assert set(rates["sabotage verdict"]) == {"violated"}
    assert table.loc[table.index.str.startswith("S4"), "verdict"].item() == "holds"
    broken = runs.assign(predicted_rate=runs["predicted_rate"] + 1e-3)
    assert "violated" in set(verdicts(broken)["verdict"])
    above = runs.assign(population_rate=runs["snr_bound"] + 1e-3)
    assert "violated" in set(verdicts(above)["verdict"])
    # where the false variant says the same as the claim, nothing was shown
    same = verdicts(runs.assign(predicted_rate=0.0, contraction=0.0)).set_index("claim")
    assert set(same[same.index.str.startswith("L")]["verdict"]) == {"not discriminating"}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open the page with")
def test_a_browser_shows_the_page(page, tmp_path):
    shot, quiet = tmp_path / "page.png", {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    flags = [*FLAGS, "--headless", "--window-size=1100,3000", f"--user-data-dir={tmp_path}/p"]
    subprocess.run([CHROMIUM, *flags, f"--screenshot={shot}", page.as_uri()], check=True, timeout=60, **quiet)
    import matplotlib.image

    pixels = matplotlib.image.imread(shot)[..., :3]
    assert pixels.shape[:2] == (3000, 1100)
    coloured = np.ptp(pixels, axis=2) > 0.3
    blue = coloured & (pixels[..., 2] > pixels[..., 0])
    orange = coloured & (pixels[..., 0] > pixels[..., 2])
    # lines in the palette's first two colours: the inlined figures were drawn
    assert blue.sum() > 500
    assert orange.sum() > 500


def test_latex_escapes_and_aligns():
    import pandas as pd

    columns = {"a_b": ["50 % & more_", "x^2"], "rate": [0.123456, float("nan")], "rate_90": [1.0, 2.0]}
    text = latex(pd.DataFrame(columns))
    assert r"\begin{tabular}{lrr}" in text
    assert r"a b & rate & rate (90 \%) \\" in text
    assert r"50 \% \& more\_ & 0.1235 & 1 \\" in text
    assert r"x\^{}2 & - & 2 \\" in text


def test_wilson_interval_is_the_known_one():
    # Brown, Cai and DasGupta (2001): 95 % Wilson interval of 0 / 10 is (0, 0.2775)
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert wilson(5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-5)


def test_a_band_is_interpolated_in_the_logarithm():
    x = np.array([0.0, 10.0])
    grid, low, middle, high = band([(x, np.array([1.0, 1e-10]))] * 3)
    assert low == pytest.approx(10.0**-grid)
    assert high == pytest.approx(middle)


def test_kept_iterates_have_both_ends():
    assert kept_iterates(5, 200).tolist() == [0, 1, 2, 3, 4, 5]
    for nit in (199, 200, 1000, 10_000):
        kept = kept_iterates(nit, 200)
        assert kept[0] == 0
        assert kept[-1] == nit
        assert len(kept) <= 200
        assert (np.diff(kept) > 0).all()
