"""How far claims are from failing, and how far their sabotages fail: one line for each record."""

import numpy as np

from emmd.experiments.console.text import for_figure
from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.theory.claim import Comparison, Kind
from emmd.theory.verdict import BOUNDS, Verdict, excess

CAPTION = """Left of 0: what is left of the error budget (identities and rates) or of the bound, in the units
of what is compared. Right of 0: by how much a sabotage misses. The axis is logarithmic on both sides."""

_SMALLEST = 1e-17
_SIDES = (
    ("claim, by its slack", COLOURS[0], "o"),
    ("sabotage, refuted", COLOURS[1], "X"),
    ("sabotage, not refuted here", COLOURS[5], "s"),
)


def draw(records, label=lambda record: f"{record.model} {record.problem}"):
    """Draw by how much claims keep within what is allowed, and by how much their sabotages miss it.

    Parameters
    ----------
    records : list of Record
        Those without numbers are left out.
    label : callable
        What stands beside a record's line.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If no record has numbers.
    """
    shown = [record for record in records if record.slack is not None]
    if not shown:
        raise ValueError("no record has numbers to draw")
    with styled():
        figure = new_figure(7.5, 1.6 + 0.24 * len(shown))
        axes = figure.add_subplot()
        for line, record in enumerate(shown):
            for (_, colour, marker), values in zip(_SIDES, _values(record)):
                axes.plot(values, [line] * len(values), marker, color=colour, ms=6, alpha=0.85, lw=0)
        for name, colour, marker in _SIDES:
            axes.plot([], [], marker, color=colour, label=name)
        _scale(axes, [label(record) for record in shown])
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _values(record):
    """Return what the claim, its refuted sabotages and the others miss by: below 0 is within."""
    # a bound may be missed by its error budget
    allowed = record.error_budget if record.kind in BOUNDS else 0.0
    sides: tuple[list, list, list] = [-record.slack - allowed], [], []
    for sabotage in record.sabotages:
        if sabotage.predicted is not None and sabotage.observed is not None:
            compared = Comparison(sabotage.predicted, sabotage.observed, 0.0, 1.0)
            missed = excess(Kind(record.kind), compared)
            sides[1 if sabotage.verdict is Verdict.VIOLATED else 2].append(missed)
    return [[value for value in side if np.isfinite(value)] for side in sides]


def _scale(axes, labels):
    axes.axvline(0.0, color="0.3", lw=1.0)
    axes.set_xscale("symlog", linthresh=_SMALLEST, linscale=0.5)
    low, high = min(10.0 * axes.get_xlim()[0], -1e-11), max(10.0 * axes.get_xlim()[1], 1e-11)
    # few enough labels that they do not touch, and none next to 0
    every = 4 if max(-low, high) < 1e9 else 8
    decades = [10.0**power for power in range(-12, int(np.ceil(np.log10(max(-low, high)))) + 1, every)]
    axes.set_xlim(low, high)
    axes.set_xticks([*(-d for d in decades if d <= -low), 0.0, *(d for d in decades if d <= high)])
    axes.minorticks_off()
    axes.set(
        xlabel="misses by (right of 0: refuted)",
        yticks=range(len(labels)),
        yticklabels=[for_figure(text, 48) for text in labels],
        ylim=(len(labels) - 0.5, -0.5),
    )
