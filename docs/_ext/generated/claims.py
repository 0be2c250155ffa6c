"""The gallery of claims, from the `Claim` objects themselves and from what they said during this build."""

import inspect
from pathlib import Path

from emmd import theory
from emmd.experiments.console.verdict_table import count_sabotages, severity
from emmd.experiments.figures import slack
from generated.text import first_sentence, number, plain, save_all, save_figure, table, verdict

GROUPS = {
    "E": "EM is mirror descent",
    "R": "Relative smoothness and strong convexity",
    "C": "Convergence along the path",
    "L": "Local rates",
    "S": "SNR laws of the population",
    "N": "Laws of single models",
    "O": "Mini-batch and online EM",
    "K": "Certificates",
}

WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n"
"""Pages with wide tables need the room of the list of contents."""

_HEAD = (
    WIDE
    + """# Claims

Each page says what a claim states, under which assumptions, and which false variants, sabotages, the same
check must refute. Verdicts, numbers and figures were made while this site was built, by the code that
`emmd verify` runs, on the problems that it ships.
"""
)


def write(source, checked):
    """Write one page for each claim, and their index."""
    folder = source / "claims"
    by_claim: dict = {}
    for record in checked.records():
        by_claim.setdefault(record.claim, []).append(record)
    pages = {
        f"{name}.md": _page(claim, by_claim.get(name, []), folder) for name, claim in theory.claims().items()
    }
    save_all(folder, {**pages, "index.md": _index(theory.claims(), by_claim)})


def _index(claims, by_claim):
    parts = [_HEAD]
    for letter, title in GROUPS.items():
        chosen = {name: claim for name, claim in claims.items() if name.startswith(letter)}
        rows = [
            [f"[{name}]({name}.md)", plain(claim.statement), _verdicts(by_claim.get(name, []))]
            for name, claim in chosen.items()
        ]
        toc = "\n".join(["```{toctree}", ":hidden:", "", *chosen, "```", ""])
        parts += [f"## {title}", toc, table(["claim", "statement", "here"], rows)]
    return "\n".join(parts)


def _verdicts(records):
    counts: dict = {}
    for record in records:
        counts[str(record.verdict)] = counts.get(str(record.verdict), 0) + 1
    return ", ".join(f"{verdict(name)} {count}" for name, count in sorted(counts.items())) or "not run"


def _page(claim, records, folder):
    parts = [WIDE + f"# {claim.id}", plain(claim.statement), f"$$\n{claim.latex}\n$$", _facts(claim)]
    parts += ["## Sabotages", _sabotages(claim, records)]
    applied = [record for record in records if record.slack is not None]
    parts += ["## Verdicts in this build", records_table(records)]
    if applied:
        save_figure(slack.draw(applied), folder / "figures" / f"{claim.id}.svg")
        parts += [
            f"![Slack of {claim.id} and what its sabotages miss by](figures/{claim.id}.svg)",
            slack.CAPTION,
        ]
    run = f"emmd verify --claim {claim.id}" + (" --certify" if claim.scope == "certificate" else "")
    parts += [f"Run it: `{run}`."]
    return "\n\n".join(parts) + "\n"


def _facts(claim):
    module = inspect.getmodule(claim.measure)
    says = (module.__doc__ or "").strip().partition("\n\n")[2]
    assumptions = [f"  - {plain(first_sentence(each.__doc__))}" for each in claim.assumptions]
    facts = [
        f"- Kind: {claim.kind}",
        f"- Source: {plain(claim.source)}",
        *(["- Assumptions, evaluated on the problem:", *assumptions] if assumptions else []),
        *([f"- Proved by sympy where a model is a formula in scalars: {claim.proof}"] if claim.proof else []),
        f"- A comparison counts where its error budget is below {claim.resolution:g} of its scale.",
        f"- Code: `{'/'.join(Path(module.__file__).parts[-4:])}`",
    ]
    return "\n".join(facts) + (f"\n\n```text\n{says}\n```" if says else "")


def _sabotages(claim, records):
    rows = []
    for sabotage in claim.sabotages:
        fared = [each for record in records for each in record.sabotages if each.name == sabotage.name]
        refuted = sum(each.verdict is theory.Verdict.VIOLATED for each in fared)
        smallest = [each.smallest for each in fared if each.smallest is not None]
        changes = ", ".join(f"{key} = {value}" for key, value in sabotage.variant.items())
        least = number(min(smallest), 2) if smallest else "-"
        rows.append([plain(sabotage.name), plain(changes), f"{refuted} of {len(fared)}", least])
    return table(["false variant", "what it changes", "refuted", "smallest deviation refuted"], rows)


def records_table(records, lead=("model", "problem")):
    """Return the verdicts of records as a Markdown table, with the reasons of those that have one.

    `lead` are the fields that stand first.
    """
    if not records:
        return "This claim was not run in this build."
    rows = [
        [
            *(plain(getattr(record, name)) for name in lead),
            verdict(str(record.verdict)),
            number(record.predicted),
            number(record.observed),
            number(record.slack, 2),
            number(record.resolution, 2),
            _refuted(record),
        ]
        for record in sorted(records, key=severity)
    ]
    head = [*lead, "verdict", "predicted", "observed", "slack", "resolution", "refuted"]
    reasons = {record.reason: record for record in records if record.reason}
    said = "\n".join(f"- {verdict(str(record.verdict))}: {plain(why)}" for why, record in reasons.items())
    return table(head, rows) + (f"\n{said}\n" if said else "")


def _refuted(record):
    refuted, same, every = count_sabotages([record])
    return f"{refuted}/{every - same}" if every else "-"
