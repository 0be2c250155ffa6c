"""`emmd bench`: this machine's ratios against the baselines."""

from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table

from emmd.core.checks import known_name
from emmd.core.discover import discover
from emmd.experiments.bench.baseline import Baseline
from emmd.experiments.bench.measurement import Measurement, Options
from emmd.experiments.console.consoles import announce_compilation, messages, progress, results
from emmd.experiments.files.output import write_json
from emmd.experiments.snr.run.machine import machine_facts

_TITLE = "this machine's ratios: medians with quartiles; times are medians, compilation apart"


@dataclass(frozen=True)
class BenchRequest:
    """What the user asked for.

    Attributes
    ----------
    rows, baselines : list of str or None
        Rows whose name contains one of these; baselines by name. None means all.
    quick, large : bool
    json : str or None
    """

    rows: list | None = None
    baselines: list | None = None
    quick: bool = False
    large: bool = False
    json: str | None = None


def run(request):
    """Measure, print the table or JSON, and return the exit code: 1 when a baseline was refused, else 0."""
    options, absent = _options(request)
    rows = _chosen(request.rows, options)
    announce_compilation()
    records = []
    with progress(len(rows), "measuring") as advance:
        for row in rows:
            records += row.run()
            advance(row.name)
    if request.json is not None:
        write_json({"machine": machine_facts(), "absent": absent, "records": records}, request.json)
    if request.json != "-":
        _print(records, absent)
    return 1 if any(record.refused for record in records) else 0


def _plugins(package, kind):
    found = discover(package, kind)
    for module, trace in found.broken.items():
        messages.print(f"{module} cannot be imported:\n{trace}", markup=False)
    return {plugin.name: plugin for plugin in found.plugins.values()}


def _options(request):
    known = _plugins("emmd.experiments.bench.baselines", Baseline)
    names = [known_name("--baseline", name, known) for name in request.baselines or known]
    missing = {name: known[name].missing() for name in names}
    baselines = [known[name] for name in names if not missing[name]]
    absent = {known[name].title: why for name, why in missing.items() if why}
    return Options(baselines, request.quick, request.large), absent


def _chosen(texts, options):
    measurements = _plugins("emmd.experiments.bench.measurements", Measurement).values()
    rows = [row for each in sorted(measurements, key=lambda m: m.order) for row in each.rows(options)]
    if texts is None:
        return rows
    for text in texts:
        if not any(text in row.name for row in rows):
            known = ", ".join(row.name for row in rows)
            raise ValueError(f"--row must be part of a row's name, got {text!r}; rows: {known}")
    return [row for row in rows if any(text in row.name for text in texts)]


def _print(records, absent):
    table = Table(title=_TITLE, header_style="bold", box=SIMPLE_HEAD)
    for name in ("row", "against", "ratio", "emmd is", "emmd", "baseline", "compiling"):
        table.add_column(name, justify="left" if name in ("row", "against", "emmd is") else "right")
    last = ""
    for record in records:
        table.add_row(record.row if record.row != last else "", record.baseline, *_cells(record))
        last = record.row
    results.print(table)
    for title, why in absent.items():
        results.print(f"not measured: {title} ({why})", markup=False)


def _cells(record):
    if record.refused:
        return "refused", record.refused, "", "", ""
    ratio = record.ratio
    said = f"{ratio.median:.3g} [{ratio.low:.3g}, {ratio.high:.3g}]"
    meaning = f"{record.meaning} ({record.note})" if record.note else record.meaning
    times = (_time(record.emmd_seconds), _time(record.baseline_seconds))
    return said, meaning, *times, _time(record.compile_seconds)


def _time(seconds):
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return "0"
