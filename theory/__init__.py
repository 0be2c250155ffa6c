"""theory: claims about EM as mirror descent, and the symbolic and numeric tools that check them."""

from theory.checker import claims, verify, verify_population
from theory.claim import Claim, Comparison, Kind, Sabotage
from theory.lab import Lab
from theory.numeric.contraction import Contraction, contraction
from theory.numeric.information import MissingInformation, missing_information
from theory.numeric.observed import ObservedRate, observed_rate
from theory.numeric.rates import best_step, predicted_factors, predicted_rate
from theory.numeric.reference import Reference, reference_optimum
from theory.population import population
from theory.population.ball import BallConstants, ball_constants
from theory.population.basin import BasinMap, basin_map
from theory.population.bounds import BoundCheck, BoundGrid, check_bound
from theory.population.coordinates import snr_coordinates
from theory.population.grid import RateGrid, population_grid
from theory.population.problem import PopulationProblem, population_problem
from theory.verdict import Record, SabotageRecord, Verdict

__all__ = [
    "BallConstants",
    "BasinMap",
    "BoundCheck",
    "BoundGrid",
    "Claim",
    "Comparison",
    "Contraction",
    "Kind",
    "Lab",
    "MissingInformation",
    "ObservedRate",
    "PopulationProblem",
    "RateGrid",
    "Record",
    "Reference",
    "Sabotage",
    "SabotageRecord",
    "Verdict",
    "ball_constants",
    "basin_map",
    "best_step",
    "check_bound",
    "claims",
    "contraction",
    "missing_information",
    "observed_rate",
    "population",
    "population_grid",
    "population_problem",
    "predicted_factors",
    "predicted_rate",
    "reference_optimum",
    "snr_coordinates",
    "verify",
    "verify_population",
]
