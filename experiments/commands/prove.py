"""`emmd population --prove`: a bound on the rate, proved or refuted in ball arithmetic on a box of SNRs."""

from emmd.experiments.console.consoles import literal, progress, results
from emmd.theory.certificates.bounds.prove import BoundProof
from emmd.theory.certificates.bounds.shipped import SHIPPED, SIDE, ShippedBound


def proof_of(
    bound: str,
    model: str,
    kind: str,
    d: int,
    cosine: float,
    box: tuple,
    most: int,
) -> BoundProof:
    """Prove or refute a bound, and show a bar on standard error.

    Parameters
    ----------
    bound : str
        A formula, or the label of a bound that is shipped: its own box is then the default.
    model, kind : str
    d : int
    cosine : float
        That of the box by default.
    box : tuple
        Ranges of the expert's SNR, the gate's SNR and the cosine; None for the default.
    most : int
        Boxes after which the rest is undecided.

    Raises
    ------
    ValueError, TypeError
        For bad input, in one sentence.
    """
    shipped = SHIPPED.get(bound)
    if shipped is not None and shipped.model != model:
        raise ValueError(f"--model must be {shipped.model} for the bound {bound}, got {model}")
    usual = (
        (SIDE, SIDE, cosine) if shipped is None else (shipped.snr_expert, shipped.snr_gate, shipped.cosine)
    )
    box_asked = tuple(own if given is None else given for given, own in zip(box, usual))
    law = ShippedBound(model, bound, *usual, proved=False, boxes=most) if shipped is None else shipped
    with progress(most, "proving the bound") as advance:
        told = lambda done, total: advance()  # noqa: E731
        return law.prove_on(box_asked, kind, d, max_boxes=most, progress=told)


def print_proof(proof: BoundProof) -> None:
    """Print what came of a bound."""
    if proof.proved:
        said = f"proved in ball arithmetic on the whole box ({proof.boxes} boxes)"
    elif proof.refuted is not None:
        point = ", ".join(f"{name} = {value}" for name, value in proof.refuted.items())
        said = f"refuted in ball arithmetic: {point}"
    else:
        said = f"undecided: of {proof.boxes} boxes {len(proof.undecided)} are left, among them"
    results.print(literal(said), soft_wrap=True)
    for expert, gate, angle in proof.undecided[:5]:
        sides = f"SNR_e {expert[0]:.4g}..{expert[1]:.4g}, SNR_g {gate[0]:.4g}..{gate[1]:.4g}"
        results.print(literal(f"  {sides}, cosine {angle[0]:.4g}..{angle[1]:.4g}"))
