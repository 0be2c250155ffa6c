"""Error against iteration for each algorithm, with the predicted slope drawn through it."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled

CAPTION = """Distance to the optimum in the metric of the complete information, on a logarithmic axis: a
geometric rate is a straight line. Dashed: the slopes that the Hessians at the optimum predict."""

_FLOOR, _LEAST = 1e-11, 1e-16


def draw(title, runs):
    """Draw the paths of several algorithms.

    Parameters
    ----------
    title : str
    runs : list of (label, errors, rate)
        Errors ||theta_t - theta*|| in the metric of I_com, shape (T + 1,), and the predicted factor.

    Returns
    -------
    matplotlib.figure.Figure
    """
    longest, shortest = (choose(len(errors) - 1 for _, errors, _ in runs) for choose in (max, min))
    with styled():
        horizons = sorted({min(2 * shortest, longest), longest} - {0}) or [1]
        # the names of the methods are wider than one panel
        figure = new_figure(9.5, 4.6)
        [panels] = figure.subplots(1, len(horizons), sharey=True, squeeze=False)
        for axes, horizon in zip(panels, horizons):
            for colour, (label, errors, rate) in zip(COLOURS, runs):
                # who starts at the optimum has one point, and no line
                style = {"lw": 2.2, "alpha": 0.85, "marker": "o" if len(errors) == 1 else None}
                axes.plot(
                    np.maximum(errors, _LEAST), color=colour, label=label, clip_on=len(errors) > 1, **style
                )
                _slope(axes, errors, rate)
            axes.plot([], [], color="0.15", ls="--", lw=1.2, label="slope predicted at the optimum")
            axes.set(yscale="log", xlabel="iteration t", xlim=(0, horizon))
        panels[0].set_ylabel(r"$\|\theta_t - \theta^*\|$ in the metric of $I_{com}$")
        seen = np.maximum(np.concatenate([errors for _, errors, _ in runs]), _LEAST)
        smallest, largest = seen.min(), seen.max()
        panels[0].set_ylim(max(min(_FLOOR, 0.3 * largest), 0.3 * smallest), 3.0 * largest)
        if len(horizons) > 1:
            panels[0].set_title("the fastest methods")
            panels[1].set_title("all, to the end")
        figure.suptitle(title)
        figure.legend(
            *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
        )
    return figure


def _slope(axes, errors, rate):
    """Anchor the predicted slope where transients are over: at 1e-6 of the first error."""
    low = np.flatnonzero(errors <= 1e-6 * errors[0])
    anchor = int(low[0]) if low.size else len(errors) - 1
    t = np.array([0, len(errors) - 1])
    # of a rate of 0 only the end can be drawn
    slope = errors[anchor] * np.exp((t - anchor) * np.log(max(rate, np.finfo(float).tiny)))
    axes.plot(t, slope, color="0.15", ls="--", lw=1.2)
