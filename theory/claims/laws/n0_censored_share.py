r"""N0: right-censored exponential times: EM's rate is the share of censored rows, exactly.

One natural parameter and no covariates. A row that was seen says all: hess A_y = 0. A censored one leaves the
excess over its limit, which has no memory: hess A_y = hess A. At the optimum E[m - s] = 0, so I_com = J^2
hess A and I_mis is the share of such rows times that, in any parametrisation.
"""

import numpy as np

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage

_AGREE = 1e-9


def seen_or_without_memory(lab):
    """There is one parameter, and what is missing of a row is nothing or as much as the model's whole."""
    elsewhere = "the claim is about times that were seen or censored, and one parameter"
    if lab.problem.n_params != 1 or lab.problem.X is not None:
        return elsewhere
    shares = np.concatenate([_missing_shares(lab, theta) for _, theta in lab.probes])
    # shares of every point alike, and nothing between 0 and 1
    known = np.minimum(np.abs(shares), np.abs(shares - 1.0)) <= _AGREE
    return "" if shares.size and known.all() else elsewhere


def _missing_shares(lab, theta):
    """Return the posterior's part of each row's variance of S, shape (n,); nothing for several statistics."""
    model, data = lab.model, lab.problem.data
    eta = lab.problem.definition.eta(theta)
    if eta.shape[1] != 1:
        return np.zeros(0)
    return (model.posterior_covariance(data, eta) / model.covariance(eta))[:, 0, 0]


def measure(lab, of="censored", power=1, factor=1.0):
    """Compare the contraction of EM's map, and the pencil of informations, with the share."""
    censored = float(lab.problem.weights @ np.round(_missing_shares(lab, lab.theta0)))
    share = factor * (censored if of == "censored" else 1.0 - censored)
    map_, pencil = lab.contraction("em"), lab.information.rate
    yield Comparison(share**power, map_.value, map_.error + 1e-12, 1.0, {"of": "EM's map"}, part="map")
    yield Comparison(share**power, pencil, 1e-11, 1.0, {"of": "missing information"}, part="information")


def _not_half(lab):
    censored = float(lab.problem.weights @ np.round(_missing_shares(lab, lab.theta0)))
    return "half of the rows are censored" if abs(censored - 0.5) < 1e-6 else ""


CLAIM = Claim(
    id="N0-censored-share",
    statement="For right-censored exponential times EM's rate is the share of censored rows.",
    latex=r"\lambda = E\, 1[\mathrm{censored}]",
    source="Dempster, Laird, Rubin 1977 (setting); exact form derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("the share that was seen", {"of": "seen"}, (_not_half,)),
        Sabotage("the square, which is the loss's rate", {"power": 2}, truth=1.0),
        Sabotage("share off in the third digit", {"factor": 1.001}, truth=1.0),
    ),
    assumptions=(regular_design, seen_or_without_memory, strict_minimum),
)
