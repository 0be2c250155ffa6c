"""`emmd certify`: a proof in ball arithmetic that EM converges from a start."""

import time
from dataclasses import dataclass

from emmd.experiments.cases.shipped import synthetic, user_case
from emmd.experiments.console.consoles import announce_compilation, literal, messages, results
from emmd.experiments.files.output import write_json
from emmd.theory.certificates.balls import require_balls
from emmd.theory.certificates.certificate import load_certificate
from emmd.theory.certificates.certify import certify

_SHOWN = (
    "model",
    "start",
    "certified",
    "reason",
    "optimum",
    "radius",
    "error",
    "rate",
    "basin_rate",
    "basin_level",
    "basin_radius",
    "steps",
    "digest",
)
_DESIGN = ("n", "d", "snr_expert", "snr_gate", "cosine")


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes
    ----------
    model : str or None
    data, target : str or None
    n, d, snr_expert, snr_gate, cosine : int or float or None
        Of synthetic data.
    sigma : float
    seed : int
    share : float
        See `emmd.theory.certify`.
    max_steps : int
    json, save, check : str or None
        Files: of the result, of the certificate to be written, of one to be checked.
    """

    model: str | None = None
    data: str | None = None
    target: str | None = None
    n: int | None = None
    d: int | None = None
    snr_expert: float | None = None
    snr_gate: float | None = None
    cosine: float | None = None
    sigma: float = 0.5
    seed: int = 0
    share: float = 0.75
    max_steps: int = 10_000
    json: str | None = None
    save: str | None = None
    check: str | None = None


def run(request):
    """Make or check a certificate, print its theorem, and return the exit code: 1 for a check that fails."""
    require_balls()
    case = _case(request)
    announce_compilation()
    with messages.status(f"certifying {case.name}") as line:
        begun = time.monotonic()

        def say(sentence):
            # a proof of a moment needs no line
            if time.monotonic() - begun > 2.0:
                line.update(sentence)

        if request.check is not None:
            return _checked(
                request, case, lambda done, all_: say(f"following the path: step {done} of {all_}")
            )
        found = certify(case.problem, case.theta0, request.share, request.max_steps, say)
    # files first: the terminal may refuse what is printed
    if request.save is not None:
        found.save(request.save)
    if request.json is not None:
        write_json(machine(found), request.json)
    if request.json != "-":
        results.print(literal(f"{case.model} {case.name}: {case.note}"), soft_wrap=True)
        results.print(literal_lines(found.statement()), soft_wrap=True)
    return 0


def literal_lines(text):
    """Return a text of several lines, none of which is markup."""
    parts = [literal(line) for line in text.splitlines()]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.append("\n").append_text(part)
    return joined


def machine(certificate):
    """Return a certificate as JSON knows it."""
    numbers = {name: getattr(certificate, name) for name in _SHOWN}
    return numbers | {"statement": certificate.statement()}


def _checked(request, case, progress):
    loaded = load_certificate(request.check)
    objection = loaded.objection(case.problem, progress)
    if request.json is not None:
        write_json({"file": request.check, "proved": not objection, "reason": objection}, request.json)
    if request.json != "-":
        said = loaded.statement() if not objection else f"{request.check} is refused: {objection}"
        results.print(literal_lines(said), soft_wrap=True)
    return int(bool(objection))


def _case(request):
    design = {name: getattr(request, name) for name in _DESIGN}
    given = [name for name, value in design.items() if value is not None]
    if request.data is not None or request.target is not None:
        if request.data is None or request.target is None:
            raise ValueError("--data and --target must be given together")
        if given:
            raise ValueError(f"--{given[0].replace('_', '-')} must not be given with --data")
        return user_case(request.data, request.target, request.model, request.seed, request.sigma)
    if request.model is None:
        raise ValueError("--data FILE.csv --target COL must be given, or --model with a design")
    if len(given) < len(design):
        missing = next(name for name in design if name not in given)
        raise ValueError(f"--{missing.replace('_', '-')} must be given with --model, unless there is --data")
    return synthetic(request.model, **design, seed=request.seed)
