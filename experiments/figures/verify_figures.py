"""The figures of `emmd verify --out`: convergence and spectrum for each problem, and the verdicts."""

import re
from pathlib import Path

import numpy as np

from emmd.core.loop.solve import make_algorithm, minimize
from emmd.experiments.commands.natural_options import natural_options
from emmd.experiments.console.consoles import literal, messages, progress
from emmd.experiments.console.text import for_figure
from emmd.experiments.figures import convergence, spectrum
from emmd.experiments.figures.style import save
from emmd.experiments.files.output import write_json
from emmd.theory.lab import Lab
from emmd.theory.numeric.rates.predicted import best_step, predicted_rate

_ALGORITHMS = ("em", "mirror_descent", "gradient_em", "gradient_descent")
_STEPS = 3000
_ROWS = 1_000_000
_FEWEST = 300
"""Steps of a path: K experts pay per row, and get fewer when there are many."""
_DECADES = 3
_NEAR = 1e-3


def save_all(cases, records, folder):
    """Write two figures per case that has a strict optimum, and ``verdicts.json``, into a folder."""
    with progress(len(cases), "figures") as advance:
        for case in cases:
            lab = Lab(case.problem, case.theta0)
            if lab.reference.strict:
                _case(case, lab, folder)
            else:
                messages.print(literal(f"no figures for {case.model} {case.name}: {lab.reference.reason}"))
            advance(case.name)
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_json(records, str(Path(folder) / "verdicts.json"))


def _case(case, lab, folder):
    stem = re.sub(r"[^a-z0-9]+", "-", f"{case.model} {case.name}".lower()).strip("-")
    title = f"{case.model}, {for_figure(case.name)}"
    values = lab.information.eigenvalues
    observed = np.sort(lab.contraction("em").eigenvalues.real)
    save(spectrum.draw(title, values, observed, best_step(values)), folder, f"{stem}-spectrum")
    # a curved model set has no mirror step in theta; the projected one is EM at unit step
    names = [name for name in _ALGORITHMS if lab.linear_model_set or name != "mirror_descent"]
    steps = _STEPS if lab.linear_model_set else max(_FEWEST, _ROWS // case.problem.n_rows)
    start = case.theta0
    if values[-1] ** steps > 10.0**-_DECADES:
        # from afar a path of this length would show the transient only
        title += ", from near the optimum"
        start = lab.reference.theta + _NEAR * (start - lab.reference.theta)
    runs = [_run(lab, name, start, steps) for name in names]
    save(convergence.draw(title, runs), folder, f"{stem}-convergence")


def _run(lab, name, start, steps):
    options = natural_options(name, lab.information, lab.hessian)
    algorithm = make_algorithm(name, **options)
    result = minimize(lab.problem, start, algorithm, tol=1e-12, max_iter=steps, record=True)
    gap = result.trace.theta - lab.reference.theta
    errors = np.sqrt(np.maximum(np.einsum("ti,ij,tj->t", gap, lab.information.complete, gap), 0.0))
    rate = predicted_rate(lab.problem, lab.reference.theta, name, **options)
    return f"{_label(name, options)}: rate {rate:.4f}", errors, rate


def _label(name, options):
    step = f", step {options['step_size']:.3g}" if "step_size" in options else ""
    inner = f", {options['inner_steps']} inner steps" if "inner_steps" in options else ""
    return name.replace("_", " ").replace("em", "EM") + step + inner
