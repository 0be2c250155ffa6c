"""`emmd population`: the spectrum of population EM at any SNR, and a user's own bound against it."""


def population_command(
    model,
    snr_expert,
    snr_gate,
    cosine,
    d,
    json_path=None,
    bound=None,
    out=None,
    kind="upper",
    seed=0,
    box=None,
):
    """Print the spectrum of M(theta*), check a bound if one is given, and return the exit code.

    Parameters
    ----------
    model : str
    snr_expert, snr_gate, cosine : float
    d : int
    json_path : str or None
        Where to write JSON; ``"-"`` for standard output.
    bound : str or None
        A formula in snr_e, snr_g, cosine and d; checked over a grid and by a search, in `d` dimensions.
    out : str or None
        Folder for the figure of the bound; without a bound, for all figures about the population.
    kind : str
        ``"upper"`` or ``"lower"``.
    seed : int
        Seeds the search.
    box : tuple or None
        The box and the number of boxes of `prove.proof_of`: the bound is proved instead of searched.

    Returns
    -------
    int
        1 if the bound is violated or refuted, else 0.

    Raises
    ------
    ValueError, TypeError
        For bad input, in one sentence.
    """
    from emmd.experiments.commands.prove import print_proof, proof_of
    from emmd.experiments.files.output import write_json
    from emmd.theory.population.spectrum.spectrum import population

    if box is not None and bound is None:
        raise ValueError("--prove must come with --bound, got none")
    if box is not None and out is not None:
        raise ValueError("--out must not be given with --prove: the figure is that of the search")
    spectrum = population(model, snr_expert, snr_gate, cosine)
    report = {
        "model": model,
        "snr_expert": spectrum.snr_expert,
        "snr_gate": spectrum.snr_gate,
        "cosine": spectrum.cosine,
        "d": d,
        "eigenvalues": spectrum.eigenvalues(d),
        "rate": spectrum.rate(d),
        "error": spectrum.error,
    }
    # a proof on the box takes the place of the search, which covers a wider one
    checked = None if bound is None or box is not None else _checked(bound, model, kind, d, seed)
    if checked is not None:
        report["bound"] = _bound_report(checked)
    proof = None if box is None else proof_of(bound, model, kind, d, cosine, *box)
    if proof is not None:
        report["proof"] = proof
    if json_path != "-":
        _print(spectrum, d, checked)
        if proof is not None:
            print_proof(proof)
    if json_path is not None:
        write_json(report, json_path)
    if out is not None:
        _draw(checked, out) if checked is not None else _draw_all(spectrum, out)
    refuted = proof is not None and proof.refuted is not None
    return int(refuted or (checked is not None and checked.verdict.value == "violated"))


def _checked(bound, model, kind, d, seed):
    from emmd.experiments.console.consoles import progress
    from emmd.theory.population.bounds.search import BoundGrid, check_bound

    grid = BoundGrid(d=d)
    total = len(grid.snr_expert) * len(grid.snr_gate) * len(grid.cosine)
    with progress(total, "checking the bound") as advance:
        return check_bound(bound, model, kind, grid, seed, progress=lambda done, total: advance())


def _bound_report(checked):
    return {
        "text": checked.text,
        "kind": checked.kind,
        "verdict": checked.verdict,
        "point": checked.point,
        "bound": checked.bound,
        "rate": checked.rate,
        "error_budget": checked.error,
        "loosest": checked.loosest,
        "found_by": checked.found_by,
        "evaluations": checked.evaluations,
        "slack": checked.slack,
        "grid": checked.grid,
    }


def _print(spectrum, d, checked):
    from emmd.experiments.console.consoles import results

    results.print(
        f"{spectrum.model}: eigenvalues of the missing information at theta*, SNR_e = "
        f"{spectrum.snr_expert:g}, SNR_g = {spectrum.snr_gate:g}, cosine = {spectrum.cosine:g}, d = {d}"
    )
    results.print(_spectrum_table(spectrum, d))
    iterations = _iterations(spectrum.rate(d))
    results.print(f"rate {spectrum.rate(d):.12f} +- {spectrum.error:.1e}; {iterations} iterations to 1e-8")
    if checked is not None:
        results.print(_bound_text(checked), markup=False)


def _spectrum_table(spectrum, d):
    from rich.table import Table

    table = Table("eigenvalue", "times", "directions", header_style="bold")
    span = spectrum.plane_eigenvalues.size // 2
    rows = [(value, 1, "in the span of beta* and w*") for value in spectrum.plane_eigenvalues]
    if d > span:
        rows += [(value, d - span, "across it") for value in spectrum.orthogonal_eigenvalues]
    for value, times, where in sorted(rows):
        table.add_row(f"{value:.15f}", str(times), where)
    return table


def _iterations(rate):
    import math

    return "infinitely many" if rate >= 1 - 1e-12 else str(max(1, math.ceil(math.log(1e-8) / math.log(rate))))


def _bound_text(checked):
    point = ", ".join(f"{name} = {value:.6g}" for name, value in checked.point.items())
    word = "fails worst" if checked.verdict.value == "violated" else "is tightest"
    return (
        f"{checked.kind} bound {checked.text}: {checked.verdict.value} ({checked.evaluations} rates)\n"
        f"it {word} at {point}\n"
        f"there it is {checked.bound:.10g} and the rate is {checked.rate:.10g} +- {checked.error:.0e}"
    )


def _draw(checked, out):
    from emmd.experiments.console.consoles import literal, messages
    from emmd.experiments.figures.population.slack import draw
    from emmd.experiments.figures.style import save

    for path in save(draw(checked), out, "population_bound"):
        messages.print(literal(f"wrote {path}"), soft_wrap=True)


def _draw_all(spectrum, out):
    from emmd.experiments.commands.population_figures import write_all
    from emmd.experiments.console.consoles import literal, messages

    point = spectrum.model, spectrum.snr_expert, spectrum.snr_gate, spectrum.cosine
    written, left_out = write_all(out, *point)
    for path in written:
        messages.print(literal(f"wrote {path}"), soft_wrap=True)
    for sentence in left_out:
        messages.print(literal(sentence), soft_wrap=True)
