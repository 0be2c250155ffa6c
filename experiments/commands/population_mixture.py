"""`emmd population --model moe`: the spectrum of population EM for K experts, by quadrature over the span."""

from rich.table import Table

from emmd.experiments.console.consoles import results
from emmd.experiments.files.output import write_json
from emmd.models.mixture.separations import mixture_snr_parameters
from emmd.theory.population.mixtures.spectrum import mixture_population


def run(mixture, snr_expert, snr_gate, cosine, d, json, unknown):
    """Print the spectrum of M(theta*) in d dimensions, and return the exit code 0.

    Parameters
    ----------
    mixture : MixtureChoice
    snr_expert, snr_gate, cosine : float
    d : int
    json : str or None
    unknown : str or None
        What was given to --bound or --out.
    """
    if unknown is not None:
        raise ValueError(
            "--bound and --out must not be given with --model moe: bounds speak of one pair of SNRs"
        )
    model = mixture.model(d)
    spectrum = mixture_population(model, mixture_snr_parameters(model, snr_expert, snr_gate, cosine))
    report = {
        "model": "moe",
        "experts": mixture.n_experts,
        "family": mixture.family,
        "gate": mixture.gate,
        "snr_expert": snr_expert,
        "snr_gate": snr_gate,
        "cosine": cosine,
        "d": d,
        "eigenvalues": spectrum.eigenvalues(d),
        "rate": spectrum.rate(d),
        "error": spectrum.error,
    }
    if json != "-":
        _print(mixture, spectrum, d)
    if json is not None:
        write_json(report, json)
    return 0


def _print(mixture, spectrum, d):
    table = Table(title=f"population EM, {mixture.said}", header_style="bold")
    table.add_column("eigenvalues of M")
    table.add_column("how many", justify="right")
    for value in spectrum.span_eigenvalues:
        table.add_row(f"{value:.12g}", "1")
    for value in spectrum.orthogonal_eigenvalues if d > spectrum.dimension else ():
        table.add_row(f"{value:.12g}", str(d - spectrum.dimension))
    results.print(table)
    results.print(f"rate of EM {spectrum.rate(d):.12g}, error {spectrum.error:.2g}")
