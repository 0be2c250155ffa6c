"""The worst relative strong convexity on balls around theta*, against their radius."""

from emmd.experiments.figures.style import COLOURS, new_figure, styled


def draw(title, ball):
    """Draw 1 - alpha, the factor by which claim C4 contracts, and its value at theta*.

    Parameters
    ----------
    title : str
    ball : theory.BallConstants

    Returns
    -------
    matplotlib.figure.Figure
    """
    with styled():
        figure = new_figure(6.4, 4.2)
        axes = figure.add_subplot()
        factor = 1 - ball.alpha
        axes.plot(ball.radius, factor, "o-", color=COLOURS[0], lw=2.2, ms=4, label="worst over the ball")
        at_truth = 1 - ball.at_truth
        axes.axhline(at_truth, color=COLOURS[1], ls="--", lw=1.6, label=rf"at $\theta^*$: {at_truth:.4f}")
        top = max(1.15, 1.05 * factor[0])
        axes.axhspan(1.0, 10.0, color="0.9", zorder=0)
        axes.annotate(
            "no contraction guaranteed",
            (0.98, 0.97),
            xycoords="axes fraction",
            ha="right",
            va="top",
            color="0.35",
        )
        axes.set(
            xlabel=r"radius of the ball around $\theta^*$ (whitened, units of the noise)",
            ylabel=r"$1 - \alpha = \max \lambda_{\max}(M(\theta))$",
            xlim=(0, ball.radius[-1]),
            ylim=(min(0.9 * at_truth, at_truth - 0.02), top),
            title=title,
        )
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    return figure
