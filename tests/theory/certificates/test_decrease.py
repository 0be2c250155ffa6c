"""The rate falls with the expert's SNR: forms hold inside their box, and a rate that rises is not proved."""

import numpy as np
import pytest

from emmd.theory.certificates.balls import flint, precision
from emmd.theory.certificates.bounds.decrease import _PAIRS, _Decrease, _Forms, prove_decrease
from emmd.theory.certificates.bounds.shipped import SHIPPED
from emmd.theory.certificates.population import linear

BOX = (1.0, 1.1), (2.0, 2.1), (0.0, 0.0)
_PLACES = ((1, 2), (0, 3))
"""Of the expert's and the gate's parameter of both pairs in the plane: (beta_t, beta_o, w_t, w_o)."""


@pytest.fixture(scope="module")
def search():
    with precision(64):
        return _Decrease()


def observed(snr_expert, snr_gate):
    """Return expert, cross and gate of I_obs and the gate of I_com of every pair, by the general angle."""
    with precision(64):
        plane, across = linear.information(snr_expert, snr_gate, flint.arb(0), flint.arb(1), 25.0)
        pairs = [(plane, i, j) for i, j in _PLACES] + [(across, 0, 1)]
        return [
            [full[i, i] - lost[i, i], -lost[i, j], full[j, j] - lost[j, j], full[j, j]]
            for (full, lost), i, j in pairs
        ]


def divided(logs, values):
    """Return f[x_0, ..., x_k] k!, which is the k-th derivative somewhere between the points."""
    if len(values) == 1:
        return values[0]
    rise = divided(logs[1:], values[1:]) - divided(logs[:-1], values[:-1])
    return (len(values) - 1) * rise / (logs[-1] - logs[0])


def test_values_and_derivatives_hold_inside_the_box(search):
    experts, gates = (1.0, 1.05, 1.1), (2.0, 2.1)
    found = [[observed(snr, gate) for gate in gates] for snr in experts]
    with precision(64):
        x, y = ([flint.arb(each).log() for each in side] for side in (experts, gates))
        forms = _Forms(search, BOX)
        for k, pair in enumerate(_PAIRS):
            for place, (value, slope) in enumerate(zip(forms.pair(pair, 0), forms.pair(pair, 1))):
                f = [[at[k][place] for at in row] for row in found]
                along = [[row[j] for row in f] for j in (0, 1)]
                rises = [divided(x[1:], each[1:]) for each in along]
                assert all(forms.range(value).overlaps(each) for row in f for each in row)
                assert all(
                    each.overlaps(rise) for each in (value.by_expert, forms.range(slope)) for rise in rises
                )
                assert all(slope.by_expert.overlaps(divided(x, each)) for each in along)
                assert all(value.by_gate.overlaps(divided(y, row)) for row in f)
                assert slope.by_gate.overlaps(divided(y, rises))
            full = [at[k][-1] for at in found[0]]
            complete = forms.complete(pair)
            assert complete.by_gate.overlaps(divided(y, full))
            assert all(forms.range(complete).overlaps(each) for each in full)


def test_a_rate_that_rises_is_not_proved_to_fall(search, monkeypatch):
    narrow = (1.0, 1.002), (2.0, 2.002), (0.0, 0.0)
    with precision(64):
        assert search.falls(narrow)
        pair = _Forms.pair
        # the derivative of the observed information with the other sign
        monkeypatch.setattr(
            _Forms, "pair", lambda self, which, order: [e * (-1) ** order for e in pair(self, which, order)]
        )
        assert not search.falls(narrow)


def test_a_bound_of_mu_is_above_it_and_close(search):
    with precision(64):
        forms = _Forms(search, BOX)
        bound = float(forms.largest_mu(forms.pair(_PAIRS[0], 0), forms.complete(_PAIRS[0])))
    mus = []
    for point in ((1.0, 2.0), (1.1, 2.0), (1.1, 2.1)):
        expert, cross, gate, full = (float(each.mid()) for each in observed(*point)[0])
        scale = np.sqrt(full)
        mus.append(np.linalg.eigvalsh([[expert, cross / scale], [cross / scale, gate / full]])[0])
    assert max(mus) <= bound < max(mus) + 0.03


def test_the_rate_falls_on_boxes_and_what_is_left_is_returned():
    law = SHIPPED["S7"]
    found = law.prove_on(((1.0, 1.5), (1.0, 1.2), 0.0))
    assert found.proved
    assert found.undecided == ()
    left = law.prove_on(((0.1, 10.0), (1.0, 1.01), 0.0), max_boxes=3)
    assert not left.proved
    assert left.refuted is None
    assert left.undecided[0][1] == (1.0, 1.01)


def test_bad_input():
    with pytest.raises(ValueError, match="cosine must be 0 where the proof is that the rate falls"):
        SHIPPED["S7"].prove_on((1.0, 1.0, (0.0, 0.1)))
    with pytest.raises(ValueError, match="snr_expert must be above 0"):
        prove_decrease(0.0, 1.0)
    with pytest.raises(ValueError, match="max_boxes"):
        prove_decrease(1.0, 1.0, max_boxes=0)
