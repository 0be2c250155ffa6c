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
Experts = Annotated[int, typer.Option("--experts", min=2, help="Of model moe: number of experts.")]
FamilyName = Annotated[str, typer.Option("--family", help="Of model moe: the experts' family.")]
GateName = Annotated[
    str, typer.Option("--gate", help="Of model moe: softmax, constant, or top-1, top-2, ...")
]
Classes = Annotated[int, typer.Option("--classes", min=2, help="Of categorical experts: number of classes.")]
Range = tuple[float, float] | None


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
    experts: Experts = 2,
    family: FamilyName = "gaussian",
    gate: GateName = "softmax",
    classes: Classes = 3,
    certify: Annotated[
        bool, typer.Option("--certify", help="Prove in ball arithmetic what can be proved of the claims.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Print a row per claim and problem.")] = False,
    out: Annotated[str | None, out_option("Write figures and verdicts to DIR.")] = None,
    json: Json = None,
) -> int:
    """Run the claims with their sabotages and print their verdicts."""
    from emmd.experiments.cases.mixture_choice import MixtureChoice
    from emmd.experiments.commands.verify import Request, run

    mixture = MixtureChoice(experts, family, gate, classes)
    asked = (claim or None, model or None, data, target, seed, sigma, json, out, every)
    request = Request(*asked, claims or [], model_file, mixture, certify)
    return run(request)


@app.command()
def rates(
    model: Annotated[str, typer.Option(help="symmoline, symmologe or moe.")],
    n: Annotated[int, typer.Option("--n", help="Number of rows.")],
    d: Annotated[int, typer.Option("--d", help="Number of features.")],
    snr_expert: Annotated[float, typer.Option(help="||beta|| / sigma; of moe, between two experts.")],
    snr_gate: Annotated[float, typer.Option(help="||w||; of moe, between two experts.")],
    cosine: Annotated[float, typer.Option(help="Cosine of the angle between beta and w.")],
    algorithm: Annotated[list[str] | None, typer.Option(help="Algorithm; repeat for more.")] = None,
    experts: Experts = 2,
    family: FamilyName = "gaussian",
    gate: GateName = "softmax",
    classes: Classes = 3,
    seed: Seed = 0,
    json: Json = None,
) -> int:
    """Compare predicted with observed local rates on a synthetic problem."""
    from emmd.experiments.cases.mixture_choice import MixtureChoice
    from emmd.experiments.commands.rates import run

    mixture = MixtureChoice(experts, family, gate, classes)
    return run(model, n, d, snr_expert, snr_gate, cosine, seed, algorithm or None, json, mixture)


@app.command()
def certify(
    data: Annotated[str | None, typer.Option(metavar="FILE.csv", help="Your data.")] = None,
    target: Annotated[str | None, typer.Option(metavar="COL", help="Target column of your data.")] = None,
    model: Annotated[str | None, typer.Option(help="symmoline or symmologe.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Number of rows of synthetic data.")] = None,
    d: Annotated[int | None, typer.Option("--d", help="Number of features.")] = None,
    snr_expert: Annotated[float | None, typer.Option(help="||beta|| / sigma.")] = None,
    snr_gate: Annotated[float | None, typer.Option(help="||w||.")] = None,
    cosine: Annotated[float | None, typer.Option(help="Cosine of the angle between beta and w.")] = None,
    sigma: Annotated[float, typer.Option(help="Noise of SymMoLinE on your data, target standardised.")] = 0.5,
    share: Annotated[float, typer.Option(help="Of the way from the rate to 1: the basin's rate.")] = 0.75,
    max_steps: Annotated[int, typer.Option(help="EM steps in which the basin must be reached.")] = 10_000,
    save: Annotated[str | None, typer.Option(metavar="FILE", help="Write the certificate to FILE.")] = None,
    check: Annotated[
        str | None, typer.Option(metavar="FILE", help="Prove a saved certificate again, from the data alone.")
    ] = None,
    seed: Seed = 0,
    json: Json = None,
) -> int:
    """Prove in ball arithmetic that EM converges from a start: optimum, rate, basin and path."""
    from emmd.experiments.commands.certify import Request, run

    design = n, d, snr_expert, snr_gate, cosine
    return run(Request(model, data, target, *design, sigma, seed, share, max_steps, json, save, check))


@app.command()
def population(
    model: Annotated[str, typer.Option(help="symmoline, symmologe or moe.")],
    snr_expert: Annotated[float, typer.Option(help="||beta|| / sigma; of moe, between two experts.")],
    snr_gate: Annotated[float, typer.Option(help="||w||; of moe, between two experts.")],
    cosine: Annotated[float, typer.Option(help="Cosine of the angle between beta and w.")],
    d: Annotated[int, typer.Option("--d", help="Number of features.")],
    bound: Annotated[
        str | None,
        typer.Option(help="Formula in snr_e, snr_g, cosine, d to check, or S2, S4, S7 to --prove."),
    ] = None,
    kind: Annotated[str, typer.Option(help="upper or lower: what the bound is.")] = "upper",
    experts: Experts = 2,
    family: FamilyName = "gaussian",
    gate: GateName = "softmax",
    classes: Classes = 3,
    seed: Seed = 0,
    prove: Annotated[
        bool, typer.Option("--prove", help="Prove the bound on a box of SNRs in ball arithmetic.")
    ] = False,
    expert_range: Annotated[Range, typer.Option(help="Expert SNRs of --prove, 0.1 10 by default.")] = None,
    gate_range: Annotated[Range, typer.Option(help="Gate SNRs of --prove, 0.1 10 by default.")] = None,
    cosine_range: Annotated[
        Range, typer.Option(help="Cosines of --prove, that of --cosine by default.")
    ] = None,
    max_boxes: Annotated[int, typer.Option(help="Boxes of --prove until the rest is undecided.")] = 10_000,
    out: Annotated[str | None, out_option("Write figures to DIR: of the bound, or all without one.")] = None,
    json: Json = None,
) -> int:
    """Print the exact spectrum of population EM, and check a bound on its rate."""
    if model == "moe":
        from emmd.experiments.cases.mixture_choice import MixtureChoice
        from emmd.experiments.commands.population_mixture import run

        mixture = MixtureChoice(experts, family, gate, classes)
        return run(mixture, snr_expert, snr_gate, cosine, d, json, bound or out)
    from emmd.experiments.commands.population import population_command

    box = expert_range, gate_range, cosine_range
    if not prove and any(side is not None for side in box):
        raise ValueError("--expert-range, --gate-range and --cosine-range must come with --prove")
    proof = (box, max_boxes) if prove else None
    return population_command(model, snr_expert, snr_gate, cosine, d, json, bound, out, kind, seed, proof)


@app.command()
def fit(
    file: Annotated[str, typer.Argument(metavar="FILE.csv", help="A CSV or Parquet table with a header.")],
    experts: Annotated[int, typer.Option(help="Number of experts, at least 1.")],
    family: Annotated[
        str,
        typer.Option(
            help="gaussian, student_t, gamma, poisson, negative_binomial, zero_inflated_poisson, bernoulli, "
            "categorical."
        ),
    ],
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Target column; all others are features.")
    ] = None,
    formula: Annotated[
        str | None, typer.Option(help="Instead of --target, e.g. 'y ~ x + C(site) | x': experts | gate.")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out rows with a missing cell, and count them.")
    ] = False,
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
    exposure: Annotated[
        str | None, typer.Option(metavar="COL", help="Exposures of counts: their logs are added to u.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(metavar="COL", help="Rows with one value of it share their expert.")
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
    features = {"expert_features": expert_feature, "gate_features": gate_feature, "exposure": exposure}
    options.update({name: columns for name, columns in features.items() if columns})
    request = FitRequest(
        file,
        target,
        experts,
        family,
        variance,
        starts,
        seed,
        json,
        out,
        options,
        fixed_gate,
        fixed_experts,
        drop_missing,
        formula,
        groups,
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
