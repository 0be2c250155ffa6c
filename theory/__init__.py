"""theory: claims about EM as mirror descent, and the symbolic and numeric tools that check them."""

from emmd.alias import alias
from emmd.theory.certificates.bounds.prove import BoundProof, prove_bound
from emmd.theory.certificates.certificate import Certificate, load_certificate
from emmd.theory.certificates.certify import certify
from emmd.theory.certificates.population.spectrum import PopulationCertificate, certify_population
from emmd.theory.checker import claims, verify, verify_population
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.lab import Lab
from emmd.theory.numeric.rates.contraction import Contraction, contraction
from emmd.theory.numeric.rates.information import MissingInformation, missing_information
from emmd.theory.numeric.rates.matrix_free import MatrixFreeRate, matrix_free_rate
from emmd.theory.numeric.rates.observed import ObservedRate, observed_rate
from emmd.theory.numeric.rates.predicted import best_step, predicted_factors, predicted_rate
from emmd.theory.numeric.rates.reference import Reference, reference_optimum
from emmd.theory.population import population
from emmd.theory.population.bounds.search import BoundCheck, BoundGrid, check_bound
from emmd.theory.population.landscape.ball import BallConstants, ball_constants
from emmd.theory.population.landscape.basin import BasinMap, basin_map
from emmd.theory.population.landscape.problem import PopulationProblem, population_problem
from emmd.theory.population.spectrum.coordinates import snr_coordinates
from emmd.theory.population.spectrum.grid import RateGrid, population_grid
from emmd.theory.records import Records
from emmd.theory.verdict import Record, SabotageRecord, Verdict

__all__ = [
    "BallConstants",
    "BasinMap",
    "BoundCheck",
    "BoundGrid",
    "BoundProof",
    "Certificate",
    "Claim",
    "Comparison",
    "Contraction",
    "Kind",
    "Lab",
    "MatrixFreeRate",
    "MissingInformation",
    "ObservedRate",
    "PopulationCertificate",
    "PopulationProblem",
    "RateGrid",
    "Record",
    "Records",
    "Reference",
    "Sabotage",
    "SabotageRecord",
    "Verdict",
    "ball_constants",
    "basin_map",
    "best_step",
    "certify",
    "certify_population",
    "check_bound",
    "claims",
    "contraction",
    "load_certificate",
    "matrix_free_rate",
    "missing_information",
    "observed_rate",
    "population",
    "population_grid",
    "population_problem",
    "predicted_factors",
    "predicted_rate",
    "prove_bound",
    "reference_optimum",
    "snr_coordinates",
    "verify",
    "verify_population",
]

if __name__ != "emmd.theory":
    # run from the repository's root, `import theory` finds this file a second time
    alias(__name__, "emmd.theory")
