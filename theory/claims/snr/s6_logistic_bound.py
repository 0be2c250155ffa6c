"""S6: for logistic experts the missing information is below E[sech(a/2) sech(b/2) I_2 (x) xx'] / 4."""

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, labels_only
from emmd.theory.population.landscape.polar import Bounds, cloud
from emmd.theory.population.spectrum.information import logistic_information, whiten
from emmd.theory.population.spectrum.quadrature import sech

_SNRS = (0.01, 0.1, 1.0, 4.0, 16.0)
_COSINES = (0.0, 0.7, 0.99, 1.0)
_NATS = 34.0
# of the whitened matrices: rules at 34 nats, and sums of up to 3e4 terms
_ROUNDING = 1e-12


def measure(lab, factor=0.25, power=1):
    """Compare the largest eigenvalue of I_mis minus its bound with 0; the bound in polar coordinates."""
    for large in _SNRS:
        points = cloud(Bounds(large, large, large, large, gaussian=False), 2, _NATS, max_nodes=10**6)
        for small in (snr for snr in _SNRS if snr <= large):
            for cosine in _COSINES:
                missing = lab.information(small, large, cosine).plane
                bound = _bound(points, small, large, cosine, factor, power)
                scale = float(np.linalg.eigvalsh(bound)[-1])
                excess = float(np.linalg.eigvalsh(missing - bound)[-1])
                yield Comparison(0.0, excess, _ROUNDING * (1 + scale), scale, at(small, large, cosine))


def _bound(points, small, large, cosine, factor, power):
    """The bound in units of I_com, each block along its own parameter and across it."""
    t, o = points.x.T
    sine = np.sqrt((1 - cosine) * (1 + cosine))
    own = [(cosine * t + sine * o, cosine * o - sine * t), (t, o)]
    weights = points.weights * factor * (sech(small * own[0][0] / 2) * sech(large * t / 2)) ** power
    bound = np.zeros((4, 4))
    for i, frame in enumerate(own):
        bound[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = np.einsum("n,in,jn->ij", weights, frame, frame)
    complete = [*logistic_information(small, 45.0), *logistic_information(large, 45.0)]
    return whiten(bound, complete)


CLAIM = Claim(
    id="S6-logistic-bound",
    statement="I_mis(theta*) <= E[sech(a/2) sech(b/2) I_2 (x) xx'] / 4 for logistic experts.",
    latex=r"I_{\mathrm{mis}}(\theta^*) \preceq"
    r" \tfrac14 E_x[\mathrm{sech}(a/2)\,\mathrm{sech}(b/2)\, I_2 \otimes xx']",
    source="derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(Sabotage("1/5 for 1/4", {"factor": 0.2}), Sabotage("sech squared", {"power": 2})),
    assumptions=(labels_only,),
    proof="S1",
    scope="population",
)
