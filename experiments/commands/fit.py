"""`emmd fit`: a mixture of experts fitted to the user's table."""

import warnings
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from emmd.core.checks import known_name, positive_number
from emmd.core.protocols.family import found_families
from emmd.estimators.classifier import MixtureOfExpertsClassifier
from emmd.estimators.model_file import save_model
from emmd.estimators.regressor import MixtureOfExpertsRegressor
from emmd.experiments.commands.fit_fixed import fixed_values
from emmd.experiments.console.consoles import announce_compilation, literal, messages, results
from emmd.experiments.console.verdict_table import number
from emmd.experiments.files.formula_table import formula_table
from emmd.experiments.files.labels import class_labels
from emmd.experiments.files.output import write_json
from emmd.experiments.files.table import read_table
from emmd.experiments.files.writable import writable_folder

_LABELS = ("bernoulli", "categorical")
_LONGEST_NAME = 80


@dataclass(frozen=True)
class FitRequest:
    """What the user asked for.

    Attributes
    ----------
    file : str
    target : str or None
    experts : int
    family, variance : str
    starts, seed : int
    json, out : str or None
    options : dict
        Further parameters of the estimator: penalties, gate, features.
    fixed_gate, fixed_experts : str or None
        A JSON file with the parameters to hold.
    drop_missing : bool
        Whether rows with a missing cell are left out.
    formula : str or None
        Instead of a target: target, experts' features and gate's.
    groups : str or None
        Column of what rows that share their expert have in common.
    """

    file: str
    target: str | None
    experts: int
    family: str
    variance: str = "free"
    starts: int = 12
    seed: int = 0
    json: str | None = None
    out: str | None = None
    options: dict = field(default_factory=dict)
    fixed_gate: str | None = None
    fixed_experts: str | None = None
    drop_missing: bool = False
    formula: str | None = None
    groups: str | None = None


def run(request):
    """Fit, print the coefficients, write what was asked for, and return the exit code 0.

    A degenerate fit is a result, not an error: its status is printed and ``converged`` is false.
    """
    known_name("--family", request.family, found_families().plugins)
    data, features = _data(request)
    if len(data.y) < request.experts:
        raise ValueError(
            f"--experts must be at most the number of rows in {request.file} ({len(data.y)}), "
            f"got {request.experts}"
        )
    estimator, y = _estimator(request, data, features)
    announce_compilation()
    with warnings.catch_warnings(), messages.status("fitting") as line:
        # the report below says the same as the warning
        warnings.simplefilter("ignore", UserWarning)
        estimator.set_params(callback=_progress(line, request.starts)).fit(data.X, y, groups=data.groups)
    # files first: the terminal or a pipe may refuse what is printed
    if request.out is not None:
        _write(request, estimator, data, y)
    if request.json is not None:
        write_json(machine(estimator, data), request.json)
    if request.json != "-":
        _print(request, estimator, data)
    return 0


def _data(request):
    """Return the table, and what a formula says beside it, as options of the estimator."""
    labels = request.family in _LABELS
    if request.formula is None:
        if request.target is None:
            raise ValueError("--target must name the target column, or --formula must hold it, got neither")
        if request.groups == request.target:
            raise ValueError(f"--groups must be another column than --target, got {request.groups!r}")
        return read_table(request.file, request.target, labels, request.drop_missing, request.groups), {}
    given = {"--target": request.target, **request.options}
    for name in ("--target", "expert_features", "gate_features"):
        if given.get(name) is not None:
            option = name if name == "--target" else f"--{name.removesuffix('s').replace('_', '-')}"
            raise ValueError(f"{option} must not be given beside --formula, which says it")
    return formula_table(request.file, request.formula, request.drop_missing, labels, request.groups)


def _progress(line, starts):
    """Return a callback that keeps a line of the terminal up to date."""
    reached: dict[int, tuple] = {}

    def show(start, iteration, loglik):
        reached[start] = (loglik, iteration)
        best = max(list(reached.values()))[0]
        line.update(
            f"start {len(reached)} of {starts}, {sum(t for _, t in list(reached.values()))} iterations, "
            f"best log-likelihood so far {best:.6g}"
        )

    return show


def _estimator(request, data, features):
    """Return the unfitted estimator, and the target as it wants it."""
    common = {
        "n_experts": request.experts,
        "n_init": request.starts,
        "random_state": request.seed,
        "n_jobs": -1,
        "fixed": fixed_values(request.fixed_gate, request.fixed_experts),
        **_by_number({**request.options, **features}, data.names),
    }
    variance = _variance(request)
    if request.family not in _LABELS:
        return MixtureOfExpertsRegressor(family=request.family, variance=variance, **common), data.y
    if "exposure" in common:
        raise ValueError(
            f"--exposure must not be given with --family {request.family}: counts and gamma only"
        )
    return MixtureOfExpertsClassifier(**common), class_labels(data.y, request.family)


def _by_number(options, names):
    """Return the options with feature columns by number instead of by name."""
    chosen = dict(options)
    for name in ("expert_features", "gate_features"):
        if name in options:
            option = f"--{name.removesuffix('s').replace('_', '-')}"
            chosen[name] = [names.index(known_name(option, column, names)) for column in options[name]]
    if "exposure" in options:
        chosen["exposure"] = names.index(known_name("--exposure", options["exposure"], names))
    return chosen


def _variance(request):
    if request.variance == "free":
        return "free"
    if request.family != "gaussian":
        raise ValueError(f"--variance must not be given with --family {request.family}: gaussian only")
    if request.variance == "shared":
        return "shared"
    try:
        value = float(request.variance)
    except ValueError:
        raise ValueError(f"--variance must be free, shared or a number, got {request.variance!r}") from None
    return positive_number("--variance", value)


def machine(estimator, data):
    """Return a fit as JSON knows it."""
    names = ("coef", "intercept", "gate_coef", "gate_intercept", "dispersion")
    return {
        "loglik": estimator.loglik_,
        "n_iter": estimator.n_iter_,
        "converged": estimator.converged_,
        "status": estimator.status_.name.lower(),
        "message": estimator._message(data.names),
        "params": {name: getattr(estimator, f"{name}_") for name in names},
        "standard_errors": estimator.standard_errors_,
        "standard_errors_message": estimator.standard_errors_message_,
        "rate": estimator.em_rate_,
        "aic": estimator.aic(),
        "bic": estimator.bic(),
        "features": data.names,
        "references": data.references,
        "dropped_rows": data.dropped,
        "starts_at_best": estimator.starts_at_best_,
        "classes": getattr(estimator, "classes_", None),
        "rows": len(data.y),
        "starts": estimator.starts_,
    }


def _print(request, estimator, data):
    results.print(coefficient_table(estimator, data.names))
    kept = [start["status"] for start in estimator.starts_]
    rate = "" if estimator.em_rate_ is None else f", EM rate {estimator.em_rate_:.6f}"
    results.print(
        f"log-likelihood {estimator.loglik_:.6f}, AIC {estimator.aic():.3f}, BIC {estimator.bic():.3f}{rate}"
    )
    met = f"{estimator.starts_at_best_} ended at the best optimum"
    results.print(f"{kept.count('converged')} of {len(kept)} starts converged, {met}; {_ending(estimator)}")
    if not estimator.converged_:
        _remark(estimator.status_.name.lower(), "bold red", estimator._message(data.names))
    elif estimator.standard_errors_ is None:
        _remark("no standard errors", "yellow", estimator.standard_errors_message_)
    for sentence in estimator._column_messages(data.names) if estimator.converged_ else ():
        _remark("note", "yellow", sentence)


def _remark(what, style, sentence):
    results.print(Text.assemble((what, style), " ", literal(sentence)), soft_wrap=True)


def _ending(estimator):
    start = estimator.starts_[estimator.best_start_]
    return (
        f"kept start {estimator.best_start_} ({start['kind']}), {estimator.n_iter_} iterations, "
        f"{estimator.status_.name.lower()}"
    )


def coefficient_table(estimator, names):
    """Return the table of coefficients with standard errors in brackets, a column per expert."""
    K = estimator.n_experts
    table = Table(title="coefficients (standard errors)", header_style="bold")
    for header in ("part", "term", *(f"expert {k + 1}" for k in range(K))):
        table.add_column(header, justify="left" if header in ("part", "term") else "right")
    errors = estimator.standard_errors_
    for part, term, name, where in _rows(estimator, names):
        values = getattr(estimator, f"{name}_")[where]
        deviations = [None] * len(values) if errors is None else errors[name][where]
        if name in (estimator.fixed or ()):
            deviations = ["fixed"] * len(values)
        # one shared variance stands in all columns
        cells = [_cell(v, s) for v, s in zip(values, deviations)]
        names_shown = (literal(name, _LONGEST_NAME) for name in (part, term))
        table.add_row(*names_shown, *(cells * K if len(cells) == 1 else cells))
    return table


def _rows(estimator, names):
    """Yield (part, term, attribute, index of the K values in it)."""
    classes = getattr(estimator, "classes_", ())
    logits = (
        [(f"class {label}", (c,)) for c, label in enumerate(classes[:-1])] if len(classes) > 2 else [("", ())]
    )
    for label, which in logits:
        part = f"expert {label}".strip()
        for j, name in enumerate(names):
            yield part, name, "coef", (slice(None), *which, j)
        if estimator.fit_intercept:
            yield part, "intercept", "intercept", (slice(None), *which)
    if estimator.dispersion_ is not None:
        yield "expert", estimator._model.family.dispersion_name, "dispersion", slice(None)
    for j, name in enumerate(names):
        yield "gate", name, "gate_coef", (slice(None), j)
    yield "gate", "intercept", "gate_intercept", slice(None)


def _cell(value, deviation):
    if deviation is None:
        return f"{value:.5g}"
    return f"{value:.5g} ({deviation if isinstance(deviation, str) else number(deviation)})"


def _write(request, estimator, data, y):
    from emmd.experiments.figures import experts
    from emmd.experiments.figures.style import save

    folder = writable_folder(request.out)
    save_model(estimator, folder / "model.json")
    if len(data.names) <= 2:
        target = request.target or request.formula.partition("~")[0].strip()
        save(experts.draw(estimator, data.X, y, data.names, target), folder, "experts")
