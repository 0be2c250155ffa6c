"""The figures of `emmd verify --out`: convergence and spectrum of each problem, the slack of each model."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.loop.solve import make_algorithm, minimize
from emmd.experiments.commands.natural_options import natural_options
from emmd.experiments.console.consoles import literal, messages
from emmd.experiments.console.text import for_figure, visible
from emmd.experiments.console.verdict_table import grouped
from emmd.experiments.figures import convergence, slack, spectrum
from emmd.theory.lab import Lab
from emmd.theory.numeric.rates.predicted import best_step, predicted_rate

_ALGORITHMS = ("em", "mirror_descent", "gradient_em", "gradient_descent")
_STEPS = 3000
_ROWS = 1_000_000
_FEWEST = 300
"""Steps of a path: K experts pay per row, and get fewer when there are many."""
_DECADES = 3
_NEAR = 1e-3


@dataclass(frozen=True)
class Drawn:
    """A figure with the words beside it; `name` is its file's.

    Attributes
    ----------
    name, title, caption : str
    figure : matplotlib.figure.Figure
    """

    name: str
    title: str
    caption: str
    figure: Any


def of_models(records):
    """Yield the slack of each claim on each model, on the problem where it is least."""
    records = [group[0] for group in grouped(records)]
    for model in dict.fromkeys(record.model for record in records):
        chosen = [record for record in records if record.model == model and record.slack is not None]
        if chosen:
            drawn = slack.draw(chosen, lambda record: f"{record.claim.partition('-')[0]}  {record.problem}")
            title = f"Slack of the claims on {visible(model)}"
            yield Drawn(_stem(f"{model} slack"), title, slack.CAPTION, drawn)


def of_case(case):
    """Yield convergence and spectrum of a problem whose optimum is strict; say so of another."""
    lab = Lab(case.problem, case.theta0)
    if not lab.reference.strict:
        messages.print(literal(f"no figures for {case.model} {case.name}: {lab.reference.reason}"))
        return
    stem, title = _stem(f"{case.model} {case.name}"), f"{case.model}, {for_figure(case.name)}"
    said = f"{visible(case.model)} {visible(case.name)}"
    values = lab.information.eigenvalues
    observed = np.sort(lab.contraction("em").eigenvalues.real)
    drawn = spectrum.draw(title, values, observed, best_step(values))
    yield Drawn(f"{stem}-convergence", f"Convergence on {said}", convergence.CAPTION, draw_paths(lab, title))
    yield Drawn(f"{stem}-spectrum", f"Spectrum on {said}", spectrum.CAPTION, drawn)


def _stem(words):
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def draw_paths(lab, title):
    """Return the figure of the paths of EM and its rivals on a lab's problem, with the predicted slopes.

    Parameters
    ----------
    lab : Lab
        Its optimum is strict.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    # a curved model set has no mirror step in theta; the projected one is EM at unit step
    names = [name for name in _ALGORITHMS if lab.linear_model_set or name != "mirror_descent"]
    steps = _STEPS if lab.linear_model_set else max(_FEWEST, _ROWS // lab.problem.n_rows)
    start = lab.theta0
    if lab.information.eigenvalues[-1] ** steps > 10.0**-_DECADES:
        # from afar a path of this length would show the transient only
        title += ", from near the optimum"
        start = lab.reference.theta + _NEAR * (start - lab.reference.theta)
    return convergence.draw(title, [_run(lab, name, start, steps) for name in names])


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
