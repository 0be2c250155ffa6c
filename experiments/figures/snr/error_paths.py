"""Parameter error against iterations and seconds."""

from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.paths import draw_paths, table_paths


def _draw(runs, traces):
    return draw_paths(runs, traces, "error", r"parameter error $\|\theta_t - \hat\theta\|$", 1)


ERROR_PATHS = ReportFigure(
    name="snr_error_paths",
    title="Parameter error",
    caption="Euclidean distance to the sample's optimum modulo symmetries: median over the starts, with a "
    "band from the 10th to the 90th percentile. Dashed: the slope predicted from the Hessians at the "
    "optimum. Curves end where half of the runs have ended.",
    draw=_draw,
    table=table_paths,
)
