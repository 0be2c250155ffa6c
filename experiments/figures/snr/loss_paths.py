"""Loss gap against iterations and seconds."""

from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.paths import draw_paths, table_paths


def _draw(runs, traces):
    optimum = runs["optimum_loss"].astype(float).reindex(traces["run"].astype(str)).to_numpy()
    gaps = traces.assign(gap=traces["loss"].to_numpy() - optimum)
    return draw_paths(runs, gaps, "gap", r"loss gap $L(\theta_t) - L(\hat\theta)$ (nats per row)", 2)


LOSS_PATHS = ReportFigure(
    name="snr_loss_paths",
    title="Loss",
    caption="Average negative log-likelihood above that of the sample's optimum: median over the starts, "
    "with a band from the 10th to the 90th percentile. Dashed: the predicted slope, the square of the "
    "parameters' rate. Below about 1e-14 rounding decides.",
    draw=_draw,
    table=table_paths,
)
