"""Experts and gate over the data, for one or two features."""

import numpy as np

from emmd.experiments.console.text import for_figure
from emmd.experiments.figures.style import COLOURS, new_figure, styled

_GRID = 200
_MOST_POINTS = 5000


def draw(estimator, X, y, names, target):
    """Draw a fitted mixture.

    Parameters
    ----------
    estimator : MixtureOfExpertsRegressor or MixtureOfExpertsClassifier
        Fitted to one or two features.
    X : ndarray of shape (n, 1) or (n, 2)
    y : ndarray of shape (n,)
    names : list of str
        Of the features.
    target : str

    Returns
    -------
    matplotlib.figure.Figure
        One feature: data and every expert's mean (or probabilities), and the gate below.
        Two features: the gate and the prediction as maps.
    """
    step = -(-len(X) // _MOST_POINTS)
    X, y = X[::step], y[::step]
    names, target = [for_figure(name) for name in names], for_figure(target)
    with styled():
        if X.shape[1] == 1:
            return _curves(estimator, X, y, names[0], target)
        return _maps(estimator, X, y, names, target)


def _mix(shares):
    """Return the colour of rows that belong to the experts by these shares, shape (n, 3)."""
    from matplotlib.colors import to_rgb

    palette = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(shares.shape[1])])
    return np.clip(shares @ palette, 0.0, 1.0)


def _range(column):
    """Return a grid over a feature, one unit wide where it is constant."""
    low, high = column.min(), column.max()
    half = 0.5 * (low == high)
    return np.linspace(low - half, high + half, _GRID)


def _curves(estimator, X, y, name, target):
    figure = new_figure(7.0, 6.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    line = _range(X[:, 0])[:, None]
    gate = estimator.gate_proba(line)
    colours = _mix(estimator.responsibilities(X, y))
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        _regression(top, estimator, line, gate, target)
        top.scatter(X[:, 0], y, c=colours, s=12, alpha=0.6, lw=0)
    else:
        _classification(top, estimator, line, gate, target)
        # classes stand on top of each other at the heights 0 to 1, spread a little so that rows can be seen
        height = np.searchsorted(classes, y) / (len(classes) - 1)
        spread = 0.03 * np.sin(np.arange(len(y)) * 2.399963)
        top.scatter(X[:, 0], height + spread, c=colours, s=12, alpha=0.6, lw=0)
    for k, share in enumerate(gate.T):
        bottom.plot(line[:, 0], share, color=COLOURS[k % len(COLOURS)], lw=2)
    bottom.set(xlabel=name, ylabel="gate", ylim=(-0.03, 1.03))
    top.legend(frameon=True, framealpha=0.9)
    top.set_title(_title(estimator))
    return figure


def _share(target, label):
    return f"P({target} = {for_figure(label)} | x)"


def _title(estimator):
    return f"{estimator.n_experts} experts, log-likelihood {estimator.loglik_:.2f}, {_status(estimator)}"


def _status(estimator):
    return estimator.status_.name.lower().replace("_", " ")


def _faded(axes, x, values, shares, colour, label):
    """Draw an expert's curve, thin where the gate gives it no weight."""
    axes.plot(x, values, color=colour, lw=1, ls=":", alpha=0.7)
    axes.plot(x, np.where(shares > 0.1, values, np.nan), color=colour, lw=2.5, label=label)


def _regression(axes, estimator, line, gate, target):
    means = estimator.predict_experts(line)
    for k in range(means.shape[1]):
        colour = COLOURS[k % len(COLOURS)]
        _faded(axes, line[:, 0], means[:, k], gate[:, k], colour, f"expert {k + 1}")
    axes.plot(line[:, 0], estimator.predict(line), color="k", lw=1.5, ls="--", label=f"E[{target} | x]")
    axes.set_ylabel(target)


def _classification(axes, estimator, line, gate, target):
    experts, mixture, classes = (
        estimator.predict_experts(line),
        estimator.predict_proba(line),
        estimator.classes_,
    )
    if len(classes) == 2:
        for k in range(experts.shape[1]):
            colour = COLOURS[k % len(COLOURS)]
            _faded(axes, line[:, 0], experts[:, k, 1], gate[:, k], colour, f"expert {k + 1}")
        axes.plot(line[:, 0], mixture[:, 1], color="k", lw=1.5, ls="--", label="mixture")
        axes.set_ylabel(_share(target, classes[1]))
        return
    for c, style in zip(range(len(classes)), ("-", "--", ":", "-.") * len(classes)):
        axes.plot(
            line[:, 0],
            mixture[:, c],
            color="k",
            ls=style,
            label=f"P({target} = {for_figure(classes[c])} | x)",
        )
    axes.set_ylabel("probability")


def _maps(estimator, X, y, names, target):
    figure = new_figure(10.0, 4.5)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    axes = [_range(column) for column in X.T]
    grid = np.stack([part.ravel() for part in np.meshgrid(*axes)], axis=1)
    extent = (axes[0][0], axes[0][-1], axes[1][0], axes[1][-1])
    picture = _mix(estimator.gate_proba(grid)).reshape(_GRID, _GRID, 3)
    left.imshow(picture, extent=extent, origin="lower", aspect="auto", alpha=0.45)
    for k, rows in enumerate(_members(estimator, X, y)):
        left.scatter(
            *X[rows].T, color=COLOURS[k % len(COLOURS)], s=12, ec="white", lw=0.3, label=f"expert {k + 1}"
        )
    # beside the maps: inside it would cover rows
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False)
    left.set(title="gate, and the most responsible expert", xlabel=names[0], ylabel=names[1])
    _surface(figure, right, estimator, X, y, grid, extent, target)
    right.set(xlabel=names[0])
    for panel in (left, right):
        panel.grid(False)
    figure.suptitle(_title(estimator))
    return figure


def _members(estimator, X, y):
    owner = estimator.responsibilities(X, y).argmax(axis=1)
    return [owner == k for k in range(estimator.n_experts)]


def _surface(figure, axes, estimator, X, y, grid, extent, target):
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        values, shown, label = estimator.predict(grid), y, f"E[{target} | x], points: {target}"
        scale = {"cmap": "viridis", "vmin": y.min(), "vmax": y.max()}
    elif len(classes) == 2:
        values, shown = estimator.predict_proba(grid)[:, 1], np.searchsorted(classes, y)
        label, scale = (
            _share(target, classes[1]),
            {"cmap": "viridis", "vmin": 0, "vmax": 1},
        )
    else:
        values, shown = estimator.predict_proba(grid).argmax(axis=1), np.searchsorted(classes, y)
        from matplotlib.colors import ListedColormap

        cmap = ListedColormap([COLOURS[c % len(COLOURS)] for c in range(len(classes))])
        label = "most probable class"
        scale = {"cmap": cmap, "vmin": -0.5, "vmax": len(classes) - 0.5}
    picture = values.reshape(_GRID, _GRID)
    image = axes.imshow(picture, extent=extent, origin="lower", aspect="auto", alpha=0.6, **scale)
    axes.scatter(*X.T, c=shown, s=12, ec="white", lw=0.3, **scale)
    bar = figure.colorbar(image, ax=axes)
    if classes is not None and len(classes) > 2:
        bar.set_ticks(range(len(classes)), labels=[for_figure(label) for label in classes])
    axes.set_title(label)
