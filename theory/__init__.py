"""theory: claims about EM as mirror descent, and the symbolic and numeric tools that check them."""

from theory.checker import claims, verify
from theory.numeric.contraction import Contraction, contraction
from theory.numeric.information import MissingInformation, missing_information
from theory.numeric.rates import best_step, predicted_factors, predicted_rate
from theory.numeric.reference import Reference, reference_optimum
from theory.population import population
from theory.verdict import Record, Verdict

__all__ = [
    "Contraction",
    "MissingInformation",
    "Record",
    "Reference",
    "Verdict",
    "best_step",
    "claims",
    "contraction",
    "missing_information",
    "population",
    "predicted_factors",
    "predicted_rate",
    "reference_optimum",
    "verify",
]
