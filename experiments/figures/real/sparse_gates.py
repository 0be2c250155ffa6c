"""Sparse gates against a dense one: EM's rate, and what the likelihood and the accuracy cost."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.gates import DENSE, gate_table

_PANELS = {
    "path_rate": "ratio of successive EM steps, late in the path",
    "excess": "test loss above the softmax gate's (nats a row)",
    "test_accuracy": "test accuracy",
}
_MARKERS = "osD^v"


def _draw(runs, traces):
    table = gate_table(runs, traces)
    places = list(dict.fromkeys(table["problem"]))
    gates = sorted(table["gate"].unique(), key=lambda gate: (gate != DENSE, gate))
    shown = [name for name in _PANELS if name in table]
    with styled():
        figure = new_figure(3.9 * len(shown), 2.2 + 0.45 * len(places))
        row = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
        for axes, name in zip(row, shown):
            for position, (colour, marker, gate) in enumerate(zip(COLOURS, _MARKERS, gates)):
                line = table[table["gate"] == gate].set_index("problem").reindex(places)
                height = np.arange(len(places)) + 0.16 * (position - (len(gates) - 1) / 2)
                style = {"color": colour, "marker": marker, "ls": "", "ms": 6, "capsize": 2, "label": gate}
                axes.errorbar(line[name], height, xerr=line[f"{name}_sd"].fillna(0.0), **style)
            axes.set_xlabel(_PANELS[name])
        row[0].axvline(1.0, color="0.4", lw=1)
        row[0].set_yticks(np.arange(len(places)), places)
        row[0].invert_yaxis()
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    return figure


SPARSE_GATES = ReportFigure(
    name="sparse_gates",
    title="What sparse gates cost",
    caption="Every gate goes on from the same point, where EM under the softmax gate had come to; means over "
    "samples and starts, bars of one standard deviation. Left: by which factor EM's steps shrink along the "
    "second half of the path: its local rate where there is one, near 1 where rows go on changing their "
    "experts and the loss jumps with them (the table has the share of steps that raised it), 0 where EM has "
    "nothing to iterate: with one expert a row nothing is hidden. Middle and right: on rows held out.",
    draw=_draw,
    table=gate_table,
)
