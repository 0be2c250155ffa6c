"""The problems that the claims are checked on: synthetic at several SNRs, real, and the user's own."""

from pathlib import Path

import numpy as np

import emmd
from emmd import gallery
from emmd.core.checks import known_name
from emmd.core.discover import discover
from emmd.core.features import standardise
from emmd.core.protocols.dataset import DataSet
from emmd.data.snr import snr_parameters
from emmd.estimators.starts.draw import draw_starts
from emmd.experiments.cases.case import Case
from emmd.experiments.cases.gallery import gallery_cases, quick_names
from emmd.experiments.cases.mixtures import mixture_cases
from emmd.experiments.cases.outside import drawn_case, package_models
from emmd.experiments.cases.varied import varied_cases
from emmd.experiments.files.table import read_table
from emmd.theory.numeric.starts import best_start

MODELS = {"symmoline": emmd.SymMoLinE, "symmologe": emmd.SymMoLogE}

SNRS = {
    "symmoline": ((1.0, 1.0, 0.3), (2.0, 1.0, 0.3), (4.0, 2.0, -0.5)),
    "symmologe": ((2.0, 1.0, 0.3), (4.0, 2.0, 0.3), (3.0, 6.0, -0.5)),
}
"""(SNR_e, SNR_g, cosine) of the synthetic problems of `emmd verify`, by model."""

_ROWS = {"symmoline": 1000, "symmologe": 2000}
_FEATURES = 4
_STARTS = 12


def known_models():
    """Return the names that ``--model`` takes: emmd's models, the gallery's, those of packages, and all."""
    return [*every_model(), "all"]


def every_model():
    """Return the names of all models."""
    return [*MODELS, "moe", *gallery.names(), *package_models()]


def synthetic(model_name, n, d, snr_expert, snr_gate, cosine, seed):
    """Return a `Case` with data drawn from the model, x ~ N(0, I), started near the truth."""
    model = MODELS[known_name("--model", model_name, [*MODELS, "moe"])](d)
    truth = snr_parameters(d, snr_expert, snr_gate, cosine)
    X, y, _ = model.sample(truth, n, seed)
    rng = np.random.default_rng([seed, *b"start"])
    theta0 = truth + 0.3 * rng.standard_normal(2 * d) / np.sqrt(d)
    name = f"SNR {snr_expert:g}/{snr_gate:g}"
    note = (
        f"n = {n}, d = {d}, SNR_e = {snr_expert:g}, SNR_g = {snr_gate:g}, cosine = {cosine:g}, seed = {seed}"
    )
    return Case(name, emmd.Problem(model, X, y), theta0, note)


def real_sets():
    """Return the real data sets by name."""
    return discover("emmd.data", DataSet).plugins


def real(dataset, seed):
    """Return a `Case` on a real data set, started at the best of several random points."""
    X, y = dataset.load()
    problem = emmd.Problem(MODELS[dataset.model](X.shape[1], **dataset.options), X, y)
    return Case(dataset.name, problem, best_start(problem, seed), dataset.note)


def default_cases(models, seed):
    """Yield the cases of `emmd verify`: synthetic ones, then real ones, then K experts, then the gallery's.

    Parameters
    ----------
    models : list of str or None
        ``all`` among them means all models; none mean the built-in ones, K experts on two families only, and
        a few of the gallery.
    seed : int
    """
    models = every_model() if "all" in (models or []) else models
    for name in models or MODELS:
        if name == "moe":
            yield from mixture_cases(seed, every=True)
            yield from varied_cases(name, seed)
            continue
        if name not in MODELS:
            known = name in gallery.names()
            yield from gallery_cases([name], seed) if known else [_package_case(name, seed)]
            continue
        for snr_expert, snr_gate, cosine in SNRS[name]:
            yield synthetic(name, _ROWS[name], _FEATURES, snr_expert, snr_gate, cosine, seed)
        yield from varied_cases(name, seed)
        yield from (real(dataset, seed) for dataset in real_sets().values() if dataset.model == name)
    if not models:
        yield from mixture_cases(seed, every=False)
        yield from varied_cases("moe", seed)
        yield from gallery_cases(quick_names(), seed)


def _package_case(name, seed):
    model = package_models()[name](_FEATURES)
    theta = np.random.default_rng([seed, *name.encode()]).standard_normal(model.n_params)
    return drawn_case(model, theta, seed, "drawn")


def user_case(path, target, model_name=None, seed=0, sigma=0.5, mixture=None):
    """Return a `Case` on the user's table.

    Two target values mean SymMoLogE, otherwise SymMoLinE; features are standardised, an intercept is added,
    and the note says so. Model moe is the `MixtureChoice` mixture.

    Raises
    ------
    ValueError
        For an unreadable table, labels other than -1/+1 or 0/1, constant or dependent columns.
    """
    table = read_table(path, target)
    X = standardise(table.X, table.names)
    values = np.unique(table.y)
    if model_name is None:
        model_name = "symmologe" if len(values) == 2 else "symmoline"
    if model_name == "moe":
        return _mixture_case(path, target, table, X, mixture, seed)
    kinds = MODELS | package_models()
    known_name("--model", model_name, [*kinds, "moe"])
    prepare = {"symmologe": _labels, "symmoline": _responses}.get(model_name, _as_given)
    y, said = prepare(target, table.y, values, sigma)
    model = kinds[model_name](X.shape[1], **({"sigma": sigma} if model_name == "symmoline" else {}))
    problem = emmd.Problem(model, X, y)
    _refuse_dependent(problem, table.names)
    note = f"{len(y)} rows; {len(table.names)} feature(s) standardised, intercept added; {said}"
    return Case(Path(path).name, problem, best_start(problem, seed), note)


def _mixture_case(path, target, table, X, mixture, seed):
    """Return a `Case` of K experts; EM starts where the estimators' starts get lowest."""
    try:
        problem = emmd.Problem(mixture.model(X.shape[1]), X, table.y)
    except ValueError as error:
        raise ValueError(f"--target {target}: {error}") from None
    _refuse_dependent(problem, table.names)
    starts = [start.theta for start in draw_starts(problem, _STARTS, seed)]
    names = len(table.names)
    note = f"{mixture.said}; {len(table.y)} rows; {names} feature(s) standardised, intercept added"
    return Case(Path(path).name, problem, best_start(problem, seed, starts=starts), note)


def _labels(target, y, values, sigma):
    if set(values) == {-1.0, 1.0}:
        return y, "labels -1/+1 as given"
    if set(values) == {0.0, 1.0}:
        return 2.0 * y - 1.0, "labels 0/1 read as -1/+1"
    came = ", ".join(f"{value:g}" for value in values[:5])
    raise ValueError(f"--target {target} must have labels -1/+1 (or 0/1) for symmologe, got {came}")


def _responses(target, y, values, sigma):
    if len(values) < 2:
        raise ValueError(f"--target {target} must vary, got the constant {values[0]:g}")
    return (y - y.mean()) / y.std(), f"target standardised, sigma = {sigma:g}"


def _as_given(target, y, values, sigma):
    return y, "target as given"


def _refuse_dependent(problem, names):
    columns = problem.model.dependent_columns(problem.data)
    if columns:
        labels = [[*names, "intercept"][j] for j in columns]
        raise ValueError(
            f"the columns must be linearly independent, got a dependence among {labels}; drop one"
        )
