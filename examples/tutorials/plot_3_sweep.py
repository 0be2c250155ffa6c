"""
A sweep, from config to report
==============================

How does EM's rate depend on the signal-to-noise ratio? One TOML file says what is run; a store keeps every
run; a report shows figures, tables and verdicts on one page.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import emmd

folder = Path(mkdtemp())

# %%
# The config
# ----------
# Lists make a grid. All algorithms have the same starts on the same samples; seeds come from names, so a
# value added to a grid changes no other run.

config = folder / "snr.toml"
_ = config.write_text("""
name = "tutorial"
title = "EM's rate against the expert's SNR"
repetitions = 2
measures = ["predicted_rate", "contraction", "observed_rate", "population_rate", "snr_bound"]
figures = ["snr_error_paths", "snr_rate"]

[[problems]]
model = "symmoline"
n = 500
d = 3
snr_expert = [1.0, 2.0, 4.0]
snr_gate = 0.5
cosine = 0.3

[[starts]]
kind = "distance"
distance = 0.3
count = 2

[[algorithms]]
method = "em"

[[algorithms]]
method = "squarem"
""")

# %%
# Run it
# ------
# These are commands of the shell, such as ``emmd snr run snr.toml --store runs.sqlite``. Interrupt a run
# whenever you like: the same command goes on.


def shell(*words):
    """Run ``emmd WORDS`` and show what it prints."""
    command = [sys.executable, "-m", "emmd", *map(str, words)]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


store = folder / "runs.sqlite"
shell("snr", "run", config, "--store", store)
shell("snr", "report", "--store", store, "--out", folder / "report")

# %%
# The report
# ----------
# ``report/index.html`` is one file without scripts; every figure is a PDF and a PNG too, every table a CSV
# and a LaTeX file.

print(*sorted(path.name for path in (folder / "report").iterdir()), sep="\n")

# %%
# Your own figure
# ---------------
# The store's tables are data frames.

import matplotlib.pyplot as plt

runs = emmd.load_runs(store)
em = runs[runs["algorithm"] == "EM"]
fig, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
by_snr = em.groupby("snr_expert")
axes.plot(em["snr_expert"], em["predicted_rate"], "o", color="#0072B2", label="predicted on each sample")
axes.plot(em["snr_expert"], em["contraction"], "x", color="#D55E00", label="of EM's own map")
axes.plot(by_snr["population_rate"].first(), "-", color="0.3", label="population")
axes.plot(by_snr["snr_bound"].first(), "--", color="0.3", label="bound by the SNRs alone (S4)")
axes.set(xlabel=r"$\mathrm{SNR}_e$", ylabel="rate", xscale="log", yscale="log")
axes.legend()
fig.show()
