"""Run from the repository's root, `import theory` gives the objects of `emmd.theory`, submodules included."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
import theory, experiments, theory.verdict, theory.numeric.rates.observed
from theory.population.landscape.problem import PopulationProblem
import emmd.theory, emmd.experiments, emmd.theory.verdict, emmd.theory.numeric.rates.observed
assert theory is emmd.theory and experiments is emmd.experiments
assert theory.verdict is emmd.theory.verdict and theory.verify is emmd.theory.verify
assert theory.numeric.rates.observed.observed_rate is emmd.theory.observed_rate
assert PopulationProblem is emmd.theory.PopulationProblem
assert theory.verdict.__spec__.name == "emmd.theory.verdict"
"""


def test_two_names_one_package(python):
    subprocess.run([python, "-c", SCRIPT], cwd=ROOT, check=True)


def test_the_other_name_first(python):
    subprocess.run([python, "-c", "import emmd.theory.verdict" + SCRIPT], cwd=ROOT, check=True)
