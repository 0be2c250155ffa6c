"""`emmd verify`: the claims with their sabotages, on synthetic, real and the user's data."""

import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from rich.text import Text

from emmd.core.checks import known_name
from emmd.core.discover import discover_files
from emmd.experiments.cases.expected import unexpected
from emmd.experiments.cases.gallery import quick_names
from emmd.experiments.cases.mixture_choice import MixtureChoice
from emmd.experiments.cases.outside import model_file_case, package_models
from emmd.experiments.cases.shipped import MODELS, default_cases, known_models, user_case
from emmd.experiments.cases.side_by_side import Task, run_all
from emmd.experiments.console.consoles import announce_compilation, literal, messages, progress, results
from emmd.experiments.console.text import visible
from emmd.experiments.console.verdict_table import summary, verdict_table
from emmd.experiments.files.output import plain, write_json
from emmd.theory.certificates.balls import require_balls
from emmd.theory.checker import found_claims, select
from emmd.theory.claim import Claim
from emmd.theory.verdict import Verdict


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes
    ----------
    claims, models : list of str or None
    claim_files : list of str
        Files and folders with further claims.
    model_file : str or None
    data, target : str or None
    seed : int
    sigma : float
    json, out : str or None
    every : bool
    mixture : MixtureChoice
        Of model moe on the user's data.
    certify : bool
        Whether proofs in ball arithmetic are tried.
    """

    claims: list | None = None
    models: list | None = None
    data: str | None = None
    target: str | None = None
    seed: int = 0
    sigma: float = 0.5
    json: str | None = None
    out: str | None = None
    every: bool = False
    claim_files: list = field(default_factory=list)
    model_file: str | None = None
    mixture: MixtureChoice = field(default_factory=MixtureChoice)
    certify: bool = False

    @property
    def ships(self):
        """Whether the problems are those whose verdicts are written down."""
        return self.data is None and self.model_file is None and self.seed == 0 and not self.certify

    @property
    def title(self):
        """What a page about the verdicts is called."""
        where = self.data or self.model_file or ", ".join(self.models or ["the shipped problems"])
        return f"Claims on {where}"

    def command(self, claim, model):
        """Return the command that repeats one claim on the same data."""
        return self.words([claim], [model])

    def words(self, claims=None, models=None):
        """Return the command of some claims and models; of what was asked for by default."""
        claims, models = claims or self.claims or [], models or self.models or []
        words = ["emmd", "verify", *(word for claim in claims for word in ("--claim", claim))]
        if self.model_file is None:
            words += [word for model in models for word in ("--model", model)]
        else:
            words += ["--model-file", self.model_file]
        words += ["--seed", str(self.seed)] + ["--certify"] * self.certify
        for path in self.claim_files:
            words += ["--claims", path]
        if self.data is not None:
            words += ["--data", self.data, "--target", self.target]
            words += ["--sigma", f"{self.sigma:g}"] if self.model_file is None else []
            words += self._mixture_words() if "moe" in models and self.model_file is None else []
        return shlex.join(words)

    def _mixture_words(self):
        chosen = self.mixture
        words = ["--experts", str(chosen.n_experts), "--family", chosen.family, "--gate", chosen.gate]
        return words + (["--classes", str(chosen.n_classes)] if chosen.family == "categorical" else [])


def run(request):
    """Run the claims, print the table, and return the exit code: 1 when a claim failed, else 0."""
    found = found_claims(request.claim_files)
    chosen = _chosen(request, found)
    if request.certify:
        require_balls()
    scopes = ("problem", "certificate") if request.certify else ("problem",)
    claims = [claim for claim in chosen if claim.scope in scopes]
    announce_compilation()
    cases = list(_cases(request)) if claims or request.data or request.model_file else []
    populations = _populations(request, chosen)
    asked = [claim.id for claim in claims], request.claim_files, request.seed
    tasks = populations + [Task(*asked, case, certify=request.certify) for case in cases]
    with progress(sum(len(task.claims) for task in tasks), "verifying") as advance:
        found_by_task = run_all(tasks, advance, apart=request.model_file is None)
    in_order = found_by_task[len(populations) :] + found_by_task[: len(populations)]
    records = [record for each in in_order for record in each]
    # of what comes from outside nothing is written down
    others = {*found.outside, *package_models()}
    shipped = [record for record in records if others.isdisjoint((record.claim, record.model))]
    surprises = unexpected(shipped) if request.ships else []
    _report(request, cases, records)
    for place, text in found.broken.items():
        messages.print(Text.assemble((f"{visible(place)} could not be used\n", "bold red"), text))
    for sentence in surprises:
        messages.print(Text(f"unexpected: {visible(sentence)}", "bold red"), soft_wrap=True)
    return int(any(record.failed for record in records) or bool(found.broken) or bool(surprises))


def _chosen(request, found):
    """Return the claims to run: what --claim names, and all of a file of which it names none."""
    for name in request.claims or []:
        if name not in found.plugins and (name.endswith(".py") or os.sep in name):
            raise ValueError(
                f"--claim must be a claim's id or label, got the file {name!r}: give it to --claims"
            )
    chosen = {claim.id: claim for claim in select(request.claims, found)}
    for path in request.claim_files:
        inside = discover_files("--claims", path, Claim).plugins
        chosen |= {} if inside.keys() & chosen.keys() else inside
    return list(chosen.values())


def _populations(request, claims):
    """Return the tasks about populations, which need no data."""
    ids = [claim.id for claim in claims if claim.scope == "population"]
    if request.data is not None or request.model_file is not None or not ids:
        return []
    asked = request.models or ["all"]
    models = list(MODELS) if "all" in asked else [name for name in asked if name in MODELS]
    return [Task(ids, request.claim_files, request.seed, population=name) for name in models]


def _cases(request):
    if (request.data is None) != (request.target is None):
        raise ValueError("--data and --target must be given together")
    if request.model_file is not None:
        if request.models:
            raise ValueError("--model must not be given beside --model-file, which names the model")
        yield model_file_case(request.model_file, request.data, request.target, request.seed)
        return
    if request.data is None:
        models = [known_name("--model", name, known_models()) for name in request.models or []]
        if not models and not quick_names():
            messages.print(literal("the gallery is left out: it needs JAX, pip install 'emmd[jax]'"))
        yield from default_cases(models, request.seed)
        return
    for name in request.models or [None]:
        yield user_case(request.data, request.target, name, request.seed, request.sigma, request.mixture)


def _report(request, cases, records):
    # files first: what a terminal does with the table must not cost them
    if request.json is not None:
        write_json([_machine(request, record) for record in records], request.json)
    if request.out is not None:
        _write(request, cases, records)
    if request.json != "-":
        _print(request, cases, records)


def _write(request, cases, records):
    """Write the page, its figures and ``verdicts.json`` into the folder of --out."""
    from emmd.experiments.figures.style import save
    from emmd.experiments.figures.verify_figures import of_case, of_models
    from emmd.experiments.report.verify import verify_page

    folder = Path(request.out)
    folder.mkdir(parents=True, exist_ok=True)
    figures = list(of_models(records))
    with progress(len(cases), "figures") as advance:
        for case in cases:
            figures += of_case(case)
            advance(case.name)
    for drawn in figures:
        save(drawn.figure, folder, drawn.name)
    write_json(records, str(folder / "verdicts.json"))
    page = verify_page(cases, records, figures, request)
    (folder / "index.html").write_text(page, encoding="utf-8")


def _print(request, cases, records):
    for case in cases:
        said = Text.assemble((visible(case.model), "bold"), literal(f" {case.name}: {case.note}"))
        results.print(said, soft_wrap=True)
    users = {case.model for case in cases if case.users_kind}
    for of, chosen in (
        ("built-in models", [record for record in records if record.model not in users]),
        ("models of the user's kind", [record for record in records if record.model in users]),
    ):
        if chosen:
            results.print(verdict_table(chosen, request.every, of))
    for record in records:
        if record.failed or record.verdict is Verdict.INCONCLUSIVE:
            _explain(request, record)
    _not_applicable(records)
    results.print(summary(records))


def _explain(request, record):
    of = f" on {record.model} {record.problem}: {record.verdict}. {record.reason}"
    results.print(Text.assemble((visible(record.claim), "bold red"), literal(of)))
    results.print(literal(f"  claim: {record.statement}"))
    for name, value in record.where.items():
        shown = (
            np.array2string(value, precision=17, max_line_width=110)
            if isinstance(value, np.ndarray)
            else value
        )
        results.print(Text(f"  {name} = {shown}"), soft_wrap=True)
    results.print(literal(f"  reproduce: {request.command(record.claim, record.model)}"), soft_wrap=True)


def _not_applicable(records):
    """Say once for each set of problems with the same reason which claims do not apply."""
    claims: dict = {}
    for record in records:
        if record.verdict is Verdict.NOT_APPLICABLE:
            claims.setdefault((record.reason, record.model, record.problem), []).append(record.claim)
    problems: dict = {}
    for (reason, model, problem), ids in claims.items():
        problems.setdefault((reason, tuple(ids)), []).append(f"{model} {problem}")
    for (reason, ids), names in problems.items():
        labels = ", ".join(dict.fromkeys(name.partition("-")[0] for name in ids))
        to = literal(f" to {', '.join(names)}: {labels}")
        results.print(Text.assemble(("not applicable", "yellow"), to), soft_wrap=True)
        results.print(literal(f"  {reason}"), soft_wrap=True)


def _machine(request, record):
    out = plain(replace(record, where={}))
    del out["where"]
    out["counter_example"] = plain(record.where) if record.failed else None
    out["where"] = plain(record.where)
    out["reproduce"] = request.command(record.claim, record.model)
    return out
