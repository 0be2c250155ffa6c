"""`emmd snr report`: figures, tables and one page, from the store alone."""

from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from emmd.core.discover import discover
from emmd.experiments.figures.style import save
from emmd.experiments.files.writable import writable_folder
from emmd.experiments.report.tables import save_table
from emmd.experiments.snr.config.read import parse
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.page import page
from emmd.experiments.snr.report.verdicts import verdicts
from emmd.runs import load_runs, load_traces, open_store


@dataclass
class Section:
    """What the page says of one experiment.

    Attributes
    ----------
    experiment : Experiment
    config : str
        The experiment's file.
    planned : int
    runs : DataFrame
        Those of the plan that the store has.
    verdicts : DataFrame
    figures : list of (ReportFigure, Figure, DataFrame)
    missing : dict of str to str
        Why a figure could not be drawn, by its title.
    """

    experiment: Any
    config: str
    planned: int
    runs: Any
    verdicts: Any
    figures: list = field(default_factory=list)
    missing: dict = field(default_factory=dict)


def write_report(store, folder, progress=lambda name: None):
    """Write the report of a store.

    Parameters
    ----------
    store : str or Path
    folder : str or Path
        Made when missing: ``index.html``, each figure as PDF and PNG, each table as CSV and LaTeX.
    progress : callable
        Called with the name of each figure when it is drawn.

    Returns
    -------
    Path
        Of ``index.html``.

    Raises
    ------
    ValueError
        For an unusable store or folder, or a store without runs.
    """
    configs, facts = _contents(store)
    folder = writable_folder(folder)
    sections = [_section(store, text, progress) for text in configs]
    for section in sections:
        _save(section, folder)
    path = folder / "index.html"
    try:
        path.write_text(page(sections, facts), encoding="utf-8")
    except OSError as error:
        raise ValueError(f"--out must be a folder that can be written to, got {folder}: {error}") from error
    return path


def _contents(store):
    with closing(open_store(store)) as connection:
        configs = [text for (text,) in connection.execute("SELECT config FROM experiments ORDER BY position")]
        facts = [text for (text,) in connection.execute("SELECT DISTINCT facts FROM sessions")]
        if not connection.execute("SELECT count(*) FROM runs").fetchone()[0]:
            raise ValueError(f"the store must have finished runs, got none in {store}")
    return configs, facts


def _section(store, text, progress):
    plan = make_plan(parse(text, f"the config in {store}"))
    # an edited config leaves runs behind that are no longer part of the experiment
    runs = load_runs(store, plan.experiment.name)
    runs = runs[runs["key"].isin({run.key for run in plan.runs})] if len(runs) else runs
    section = Section(plan.experiment, text, len(plan.runs), runs, verdicts(runs))
    traces = load_traces(store, plan.experiment.name)
    known = discover("emmd.experiments.figures", ReportFigure).plugins
    ended = runs[runs["status"] != "error"] if len(runs) else runs
    for name in plan.experiment.figures:
        _add_figure(section, known[name], ended, traces)
        progress(name)
    return section


def _add_figure(section, figure, runs, traces):
    if runs.empty:
        section.missing[figure.title] = "no run of this experiment has ended"
        return
    try:
        drawn = figure.draw(runs, traces)
        section.figures.append((figure, drawn, figure.table(runs, traces)))
    except KeyError as error:
        section.missing[figure.title] = f"it needs the measure {error.args[0]}"
    except ValueError as error:
        section.missing[figure.title] = str(error)


def _save(section, folder):
    stem = section.experiment.name
    for figure, drawn, table in section.figures:
        save(drawn, folder, f"{stem}-{figure.name}")
        save_table(table, folder, f"{stem}-{figure.name}")
    if len(section.verdicts):
        save_table(section.verdicts, folder, f"{stem}-verdicts")
