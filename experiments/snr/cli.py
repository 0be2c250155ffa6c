"""`emmd snr`: the command line of sweeps. Heavy imports wait inside the commands."""

import os
from pathlib import Path
from typing import Annotated

import typer

from emmd.experiments.console.streams import Interrupted
from emmd.experiments.files.writable import Json, out_option

app = typer.Typer(
    help="Scripted SNR experiments: from one config file to a report.",
    pretty_exceptions_enable=False,
)

Config = Annotated[str, typer.Argument(metavar="CONFIG", help="TOML file, or the name of a shipped one.")]
StoreFile = Annotated[str, typer.Option("--store", metavar="FILE", help="SQLite file with the runs.")]
Folder = Annotated[str, out_option("Folder to write to.")]
DataDir = Annotated[
    str | None, typer.Option("--data-dir", metavar="DIR", help="Folder with Fashion-MNIST's files.")
]


@app.command()
def check(config: Config, data_dir: DataDir = None, json: Json = None) -> int:
    """Validate a config and print its plan: cells, runs, estimated time and size."""
    from emmd.experiments.snr.commands import check

    return check(config, data_dir, json)


@app.command()
def run(
    config: Config,
    store: StoreFile,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler to work on instead.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait while another process writes.")] = False,
    accept_version: Annotated[
        bool, typer.Option("--accept-version", help="Keep runs of another code version and add the rest.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Do runs again that raised an error.")
    ] = False,
    data_dir: DataDir = None,
    json: Json = None,
) -> int:
    """Run a sweep, or go on with one that was interrupted."""
    try:
        return _run(config, store, jobs, scheduler, (wait, accept_version, retry_failed), data_dir, json)
    except KeyboardInterrupt:
        kept = f"{_kept(store)} finished runs are kept in {store}"
        raise Interrupted(f"interrupted; {kept}, the same command goes on from there") from None


def _run(config, store, jobs, scheduler, flags, data_dir, json):
    from emmd.experiments.snr.run import workers

    jobs = jobs or os.cpu_count() or 1
    if jobs > 1 and scheduler is None:
        workers.prepare()
    from emmd.experiments.snr.commands import run
    from emmd.experiments.snr.run.sweep import Options

    return run(config, store, Options(jobs, scheduler, *flags), data_dir, json)


def _kept(store):
    """Return the number of runs in a store; it may not have been begun."""
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(f"{Path(store).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.Error:
        return 0


@app.command()
def report(store: StoreFile, out: Folder) -> int:
    """Write figures, tables and one HTML page from a store."""
    from emmd.experiments.snr.commands import report

    return report(store, out)


@app.command()
def export(
    store: StoreFile,
    out: Folder,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
) -> int:
    """Write the runs and the traces of a store as two tables."""
    from emmd.experiments.snr.commands import export

    return export(store, out, file_format)
