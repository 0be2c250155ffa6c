r"""The rate on a box of SNRs, enclosed by its values at two corners.

Write kappa for the ratio of two SNRs, kappa >= 1, and chi for the maximum of x (1 - tanh x), below 0.2785.

**Complete information.** E[sech^2(snr t/2) xx'] / 4 falls with snr in the order of matrices; E[xx'] is fixed.

**Missing information, a gate or a logistic expert.** Row and outcome enter by a positive number times a
rank-one matrix. For SymMoLogE it is sech p sech q sech(p + y q) / 8; its logarithm's derivative in log q is
-q tanh q - y q tanh(p + y q) <= |q| (1 - tanh |q|) <= chi. The same holds for the gate of SymMoLinE, where
sech(b/2) sech(b/2 + a y) depends on b. So I_mis(kappa snr) <= kappa^chi I_mis(snr).

**The gate of a linear expert at a small SNR_e.** With P = |a y| the derivative in log q is at most
q (tanh(P - q) - tanh q) <= q (P - 2q) <= P^2 / 8, and the weight at most phi(y) e^(-a^2/2). So that of I_mis
in log SNR_g is at most E[a^2 e^(-a^2/2) diag(3, 1/4) (x) xx'] / 8, which with r = 1 / (1 + SNR_e^2) is
SNR_e^2 r^(3/2) / 8 diag(3, 1/4) (x) (I + (3r - 1) uu'), u the direction of beta. Of both bounds of a gate's
growth the better is taken; the second is the narrower at small SNR_e.

**A linear expert.** With y = a eta the missing information given x is a D [int phi(a eta) e^(-a^2/2)
sech(b/2 + a^2 eta) [eta^2, eta/2; eta/2, 1/4] d eta] D, D = diag(a, 1), and the logarithm of what multiplies
the matrix under the integral has the derivative -y^2 - a^2 - 2 a y tanh(b/2 + a y) <= -(|y| - |a|)^2 <= 0 in
log a. So I_mis(kappa SNR_e) <= kappa D I_mis(SNR_e) D with D = diag(kappa, 1) on experts and gate. I_com has
these blocks, so lambda_max of the pencil with the right-hand side grows with kappa, and the largest kappa
serves a whole box.

**A linear expert, by what is observed.** Let beta = SNR_e beta_0 and sigma = 1 / SNR_e with beta_0 fixed.
Noise of a larger sigma is noise of a smaller one and more noise, which knows nothing of the parameters: so in
(beta_0, w) I_com - I_mis grows with SNR_e in the order of matrices. In units of sigma, with P the projection
on the expert, D = diag(q, 1) and q the ratio of another SNR_e to one's own, I_mis(SNR_e) is at most

    I_com - D (I_com - I_mis(q SNR_e)) D = (1 - q^2) P + D I_mis(q SNR_e) D,    q <= 1,

and at least that for q >= 1. The pencil's largest eigenvalue falls with q, being 1 less the minimum of
k'(I_com - I_mis(q SNR_e))k / k'(D^-1 I_com D^-1)k: so the q farthest from 1 serves a whole box. Where the
rate is near 1 this enclosure is the narrower; of both the better end is taken.

Hence the corner of the smallest SNRs, with I_com of the largest, gives an upper end for the box; and the
corner of the largest, divided by the same factors, with I_com of the smallest, gives a lower end. A range of
angles enters by its ball.
"""

from functools import cache
from typing import Any

from emmd.theory.certificates.balls import NotProved, ball, congruent, flint
from emmd.theory.certificates.population.spectrum import blocks, direction_of, enclose
from emmd.theory.certificates.population.trapezoid import diagonal

CHI = 0.2785
"""Above max x (1 - tanh x) = W(1/e) = 0.278464..., at x = 0.63923."""

_NATS = 22.0


def _direction(low, high):
    """Return cosine and sine of all angles between two cosines, as balls."""
    if low == high:
        return direction_of(low)
    angle = ball(low).acos().union(ball(high).acos())
    return angle.cos(), angle.sin()


class BoxRates:
    """Rates of one model on boxes; the corners are kept, neighbours share them.

    Parameters
    ----------
    model : str
    d : int or None
        As in `certify_population`.
    nats : float
        Accuracy of the integrals, e^-nats.
    """

    def __init__(self, model: str, d: int | None, nats: float = _NATS) -> None:
        self.model, self.d, self.nats = model, d, nats
        self.linear = model == "symmoline"
        self.corner = cache(self._corner)

    def _corner(self, snr_expert, snr_gate, cosine):
        return blocks(self.model, snr_expert, snr_gate, _direction(*cosine), self.d, self.nats)

    def point(self, snr_expert: float, snr_gate: float, cosine: float) -> tuple[float, float]:
        """Return the ends of the rate at one point."""
        ends = [enclose(*each) for each in self.corner(snr_expert, snr_gate, (cosine, cosine))]
        return max(end[0] for end in ends), max(end[1] for end in ends)

    def upper(self, box: Any) -> float:
        """Return a bound of the rate from above on a box of (low, high) pairs."""
        return self._end(box, 0, 1)

    def lower(self, box: Any) -> float:
        """Return a bound of the rate from below on a box."""
        return self._end(box, 1, 0)

    def _end(self, box, mine, other):
        try:
            return self._proved_end(box, mine, other)
        except NotProved:
            # too wide a range of angles: only what is true of every rate
            return float(other)

    def _proved_end(self, box, mine, other):
        experts, gates, cosine = box
        missing = self.corner(experts[mine], gates[mine], cosine)
        complete = self.corner(experts[other], gates[other], cosine)
        up, ends = mine == 0, []
        for k, ((_, of_missing), (of_complete, _)) in enumerate(zip(missing, complete)):
            bounds = self._across(of_missing, box, up, in_plane=k == 0)
            found = [enclose(of_complete, each)[int(up)] for each in bounds]
            ends.append(min(found) if up else max(found))
        return max(ends)

    def _across(self, missing, box, up, in_plane):
        """Return bounds of the missing information anywhere in a box, from that in a corner."""
        experts, gates, _ = box
        of_expert, of_gate = (_growth(side, up) for side in (experts, gates))
        grown = [missing * of_gate ** ball(CHI)]
        if not self.linear:
            return [grown[0] * of_expert ** ball(CHI)]
        if gates[0] < gates[1]:
            grown.append(missing + _slope(ball(experts[int(not up)]), missing, in_plane) * of_gate.log())
        return [each for one in grown for each in _along_expert(one, of_expert)]


def _along_expert(missing, ratio):
    """Return the two bounds across a linear expert's SNRs."""
    q = 1 / ratio
    return [
        congruent(missing, _on_expert(ratio, missing)) * ratio,
        congruent(missing, _on_expert(q, missing)) + _on_expert(1 - q * q, missing, 0),
    ]


def _slope(snr, like, in_plane):
    """Return a bound of the derivative of the missing information in log SNR_g."""
    r = 1 / (1 + snr * snr)
    size = snr * snr * r * r.sqrt() / 8 * ((3 * r).max(flint.arb(1)) if in_plane else 1)
    return _on_expert(3 * size, like, size / 4)


def _growth(side, up):
    """Return the ratio of a side's ends: above 1 from the smallest SNR, below 1 from the largest."""
    low, high = side
    if low == high:
        return flint.arb(1)
    return ball(high) / ball(low) if up else ball(low) / ball(high)


def _on_expert(value, like, gate=1):
    """Return the diagonal matrix of one value for the expert's parameters and another for the gate's."""
    half = like.nrows() // 2
    return diagonal([value] * half + [flint.arb(gate)] * half)
