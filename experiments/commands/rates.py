"""`emmd rates`: predicted against observed local rates of several algorithms on one synthetic problem."""

from dataclasses import dataclass

from rich.table import Table

from emmd.core.checks import known_name
from emmd.core.loop.solve import algorithms, make_algorithm, minimize
from emmd.experiments.cases.mixture_choice import synthetic_mixture
from emmd.experiments.cases.shipped import synthetic
from emmd.experiments.commands.natural_options import natural_options
from emmd.experiments.console.consoles import announce_compilation, progress, results
from emmd.experiments.console.verdict_table import number
from emmd.experiments.files.output import write_json
from emmd.theory.numeric.rates.contraction import contraction
from emmd.theory.numeric.rates.information import missing_information
from emmd.theory.numeric.rates.observed import observed_rate
from emmd.theory.numeric.rates.predicted import predicted_rate
from emmd.theory.numeric.rates.reference import reference_optimum

_DEFAULT = ("em", "mirror_descent", "gradient_em", "gradient_descent")
_CURVED = ("em", "projected_mirror_descent", "gradient_em", "gradient_descent")
"""Where the model set is curved there is no mirror map in theta, and the mirror step is projected."""


@dataclass(frozen=True)
class Line:
    """One algorithm's rates.

    Attributes
    ----------
    algorithm : str
    options : dict
    predicted : float
        From the Hessians at the optimum.
    observed, observed_error : float
        Spectral radius of the algorithm's own map there, from map evaluations only.
    path_rate, path_error : float or None
        Seen along one path from the start, with its uncertainty; None when it is too short or did not end.
    iterations : int
        Steps of that path.
    """

    algorithm: str
    options: dict
    predicted: float
    observed: float
    observed_error: float
    path_rate: float | None
    path_error: float | None
    iterations: int


def run(model, n, d, snr_expert, snr_gate, cosine, seed, names, json, mixture=None):
    """Compute the rates, print a table or JSON, and return the exit code 0.

    `mixture` is the `MixtureChoice` of model moe.
    """
    for name in names or ():
        known_name("--algorithm", name, algorithms())
    announce_compilation()
    snr = n, d, snr_expert, snr_gate, cosine, seed
    case = synthetic_mixture(mixture, *snr) if model == "moe" else synthetic(model, *snr)
    chosen = names or (_DEFAULT if case.problem.linear_model_set else _CURVED)
    reference = reference_optimum(case.problem, case.theta0)
    if not reference.strict:
        raise ValueError(f"the problem must have a strict local minimum, got: {reference.reason}")
    lines = []
    with progress(len(chosen), "rates") as advance:
        for name in chosen:
            lines.append(_line(case, reference.theta, name))
            advance(name)
    if json is not None:
        write_json(lines, json)
    if json != "-":
        results.print(f"{case.model} {case.note}")
        results.print(_table(lines))
    return 0


def _line(case, theta, name):
    problem = case.problem
    information = missing_information(problem, theta)
    options = natural_options(name, information, information.complete - information.missing)
    predicted = predicted_rate(problem, theta, name, **options)
    seen = contraction(problem, theta, name, **options)
    run = minimize(problem, case.theta0, make_algorithm(name, **options), record=True, max_iter=20_000)
    path_rate, path_error = _path(run)
    return Line(name, options, predicted, seen.value, seen.error, path_rate, path_error, run.nit)


def _path(run):
    if not run.success or run.nit < 4:
        return None, None
    seen = observed_rate(run)
    return seen.value, seen.error


def _table(lines):
    table = Table(title="local rates of the parameters; losses contract by the square", header_style="bold")
    for name in (
        "algorithm",
        "options",
        "predicted",
        "observed (map)",
        "+-",
        "observed (path)",
        "+-",
        "iterations",
    ):
        table.add_column(name, justify="left" if name in ("algorithm", "options") else "right")
    for line in lines:
        options = ", ".join(f"{key}={value:.4g}" for key, value in line.options.items())
        rates = (f"{line.predicted:.10f}", f"{line.observed:.10f}", number(line.observed_error))
        path = (number(line.path_rate), number(line.path_error), str(line.iterations))
        table.add_row(line.algorithm, options, *rates, *path)
    return table
