"""The command line. Heavy imports wait inside the commands, so that help is immediate."""

import sys
from typing import Annotated

import typer

from emmd import __version__
from emmd.experiments.console.streams import Interrupted, Interrupts, guarded
from emmd.experiments.console.text import visible
from emmd.experiments.files.writable import Json, out_option
from emmd.experiments.snr.cli import app as snr

app = typer.Typer(
    help="A laboratory for EM as projected mirror descent: verify claims, compare rates, run experiments.",
    pretty_exceptions_enable=False,
)

app.add_typer(snr, name="snr")

_REFUSED, _INTERRUPTED = 2, 130
_GROUPS: list[list[str]] = [[], ["snr"]]
"""Commands that only hold others: alone they show their help."""

_LONGEST_SENTENCE = 1000


def _print_version(asked: bool) -> None:
    if asked:
        print(f"emmd {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What stands before a command."""


Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random draws.")]


@app.command()
def verify(
    claim: Annotated[
        list[str] | None, typer.Option(help="Claim id or label, e.g. C1; repeat for more.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="symmoline, symmologe, moe, one of the gallery's, or all; repeat for more."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE.csv", help="Check the claims on your data.")
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COL", help="Target column of your data.")] = None,
    claims: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE_OR_FOLDER", help="Add the claims found in your files; repeat for more."),
    ] = None,
    model_file: Annotated[
        str | None,
        typer.Option(metavar="FILE.py", help="Check the claims on the problem or model in FILE.py."),
    ] = None,
    sigma: Annotated[float, typer.Option(help="Noise of SymMoLinE on your data, target standardised.")] = 0.5,
    seed: Seed = 0,
    every: Annotated[bool, typer.Option("--all", help="Print a row per claim and problem.")] = False,
    out: Annotated[str | None, out_option("Write figures and verdicts to DIR.")] = None,
    json: Json = None,
) -> int:
    """Run the claims with their sabotages and print their verdicts."""
    from emmd.experiments.commands.verify import Request, run

    asked = (claim or None, model or None, data, target, seed, sigma, json, out, every)
    return run(Request(*asked, claim_files=claims or [], model_file=model_file))


@app.command()
def rates(
    model: Annotated[str, typer.Option(help="symmoline or symmologe.")],
    n: Annotated[int, typer.Option("--n", help="Number of rows.")],
    d: Annotated[int, typer.Option("--d", help="Number of features.")],
    snr_expert: Annotated[float, typer.Option(help="||beta|| / sigma.")],
    snr_gate: Annotated[float, typer.Option(help="||w||.")],
    cosine: Annotated[float, typer.Option(help="Cosine of the angle between beta and w.")],
    algorithm: Annotated[list[str] | None, typer.Option(help="Algorithm; repeat for more.")] = None,
    seed: Seed = 0,
    json: Json = None,
) -> int:
    """Compare predicted with observed local rates on a synthetic problem."""
    from emmd.experiments.commands.rates import run

    return run(model, n, d, snr_expert, snr_gate, cosine, seed, algorithm or None, json)


@app.command()
def population(
    model: Annotated[str, typer.Option(help="symmoline or symmologe.")],
    snr_expert: Annotated[float, typer.Option(help="||beta|| / sigma.")],
    snr_gate: Annotated[float, typer.Option(help="||w||.")],
    cosine: Annotated[float, typer.Option(help="Cosine of the angle between beta and w.")],
    d: Annotated[int, typer.Option("--d", help="Number of features.")],
    bound: Annotated[str | None, typer.Option(help="Formula in snr_e, snr_g, cosine, d to check.")] = None,
    kind: Annotated[str, typer.Option(help="upper or lower: what the bound is.")] = "upper",
    seed: Seed = 0,
    out: Annotated[str | None, out_option("Write figures to DIR: of the bound, or all without one.")] = None,
    json: Json = None,
) -> int:
    """Print the exact spectrum of population EM, and check a bound on its rate."""
    from emmd.experiments.commands.population import population_command

    return population_command(model, snr_expert, snr_gate, cosine, d, json, bound, out, kind, seed)


@app.command()
def fit(
    file: Annotated[str, typer.Argument(metavar="FILE.csv", help="A table of numbers with a header.")],
    target: Annotated[str, typer.Option(metavar="COL", help="Target column; all others are features.")],
    experts: Annotated[int, typer.Option(help="Number of experts, at least 2.")],
    family: Annotated[str, typer.Option(help="gaussian, poisson, gamma, bernoulli or categorical.")],
    variance: Annotated[str, typer.Option(help="Of gaussian experts: free, shared or a number.")] = "free",
    expert_ridge: Annotated[float, typer.Option(help="Ridge on standardised slopes of the experts.")] = 0.0,
    gate_ridge: Annotated[float, typer.Option(help="Ridge on standardised slopes of the gate.")] = 0.0,
    prior_strength: Annotated[float, typer.Option(help="Pseudo-observations per row.")] = 0.0,
    gate: Annotated[
        str, typer.Option(help="softmax, or constant for weights that ignore the features.")
    ] = "softmax",
    expert_feature: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Only these columns for the experts; repeat.")
    ] = None,
    gate_feature: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Only these columns for the gate; repeat.")
    ] = None,
    fixed_gate: Annotated[
        str | None, typer.Option(metavar="FILE.json", help="Hold the gate of an earlier --json result.")
    ] = None,
    fixed_experts: Annotated[
        str | None, typer.Option(metavar="FILE.json", help="Hold the experts of an earlier --json result.")
    ] = None,
    starts: Annotated[int, typer.Option(min=1, help="Number of starts, see --keep.")] = 12,
    keep: Annotated[
        str, typer.Option(help="Which start: the best, or the best one that converged.")
    ] = "best",
    seed: Seed = 0,
    out: Annotated[str | None, out_option("Write the model and figures to DIR.")] = None,
    json: Json = None,
) -> int:
    """Fit a mixture of experts to a table; print coefficients, standard errors and EM's rate."""
    from emmd.experiments.commands.fit import FitRequest, run

    options = {
        "expert_ridge": expert_ridge,
        "gate_ridge": gate_ridge,
        "prior_strength": prior_strength,
        "gate": gate,
        "keep": keep,
    }
    features = {"expert_features": expert_feature, "gate_features": gate_feature}
    options.update({name: columns for name, columns in features.items() if columns})
    request = FitRequest(
        file, target, experts, family, variance, starts, seed, json, out, options, fixed_gate, fixed_experts
    )
    return run(request)


@app.command()
def bench(
    row: Annotated[
        list[str] | None, typer.Option(help="Rows whose name contains this; repeat for more.")
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="numpy, dsyrk, jax or flexmix; repeat for more.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny problems: does it run?")] = False,
    large: Annotated[bool, typer.Option("--large", help="Also up to 1e7 rows, memory-mapped.")] = False,
    json: Json = None,
) -> int:
    """Measure this machine's ratios against NumPy, BLAS and, when installed, JAX and flexmix."""
    from emmd.experiments.bench.command import BenchRequest, run

    return run(BenchRequest(row or None, baseline or None, quick, large, json))


def main() -> None:
    """Run the command line.

    Ends with 0: done; 1: a claim failed; 2: bad input, with one sentence on standard error; 130: Ctrl-C.
    """
    with Interrupts().listening(), guarded():
        code = _exit_code(sys.argv[1:])
    sys.exit(code)


def _exit_code(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except Interrupted as stop:
        return _say(stop, _INTERRUPTED)
    except KeyboardInterrupt:
        return _say("interrupted", _INTERRUPTED)
    except (ValueError, TypeError) as error:
        return _say(error, _REFUSED)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _say(error.format_message(), _REFUSED)


def _run(arguments: list[str]) -> int:
    if sys.stdout is None:
        raise ValueError("standard output must be open, got a closed one")
    if arguments in _GROUPS:
        arguments = [*arguments, "--help"]
    code = app(arguments, prog_name="emmd", standalone_mode=False)
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    sys.stdout.flush()
    return code or 0


def _say(sentence: object, code: int) -> int:
    words = " ".join([str(sentence), *getattr(sentence, "__notes__", ())])
    text = visible(" ".join(words.split()))
    if len(text) > _LONGEST_SENTENCE:
        text = f"{text[: _LONGEST_SENTENCE // 2]} ... {text[-_LONGEST_SENTENCE // 2 :]}"
    print(f"emmd: {text}", file=sys.stderr)
    return code
