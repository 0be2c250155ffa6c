"""Doors of theory."""

from types import SimpleNamespace

import numpy as np

from emmd import theory
from tests.hostile import examples as ex
from tests.hostile.door import Door


def _rate(function, kind="linear", **options):
    def valid():
        return {"problem": ex.problem(kind), "theta": ex.optimum(kind), **options}

    name = f"{function.__name__} {options.get('method', '')} ({kind})"
    return Door(name, function, valid, promised=(ArithmeticError,))


def _rates():
    yield _rate(theory.missing_information)
    yield _rate(theory.missing_information, "gaussian")
    for function in (theory.predicted_rate, theory.predicted_factors, theory.contraction):
        yield _rate(function, method="em")
        yield _rate(function, method="mirror_descent", step_size=1.1)
        yield _rate(function, method="gradient_em", step_size=0.9, inner_steps=2)
        yield _rate(function, method="gradient_descent", step_size=0.9)
    yield _rate(theory.predicted_rate, "gaussian", method="em")


def _observed(theta):
    return theory.observed_rate(SimpleNamespace(trace=SimpleNamespace(theta=theta)))


def _population_problem():
    return {
        "model": "symmologe",
        "theta_star": ex.THETA,
        "region": np.array([3.0, 3.0]),
        "d": 2,
        "covariance": np.eye(2),
        "sigma": 1.0,
        "tol": 1e-2,
        "max_nodes": 100_000,
    }


def _population(**more):
    return {"snr_expert": 1.0, "snr_gate": 0.5, "cosine": 0.3, **more}


def _bound():
    return {
        "expression": "1 / sqrt(1 + snr_e**2) + 1",
        "model": "symmoline",
        "kind": "upper",
        "grid": theory.BoundGrid((1.0, 2.0), (0.5, 1.0), (0.0, 0.5), 2),
        "seed": 0,
        "effort": 1,
        "progress": None,
    }


def _bound_grid(**axes):
    return theory.check_bound("1", "symmologe", grid=theory.BoundGrid(**axes), effort=1)


def _populations():
    yield Door("population", theory.population, lambda: _population(model="symmoline"), share=3.0)
    spectrum = theory.population("symmoline", 1.0, 0.5, 0.3)
    yield Door("PopulationSpectrum.eigenvalues", spectrum.eigenvalues, lambda: {"d": 3})
    yield Door("PopulationSpectrum.rate", spectrum.rate, lambda: {"d": 3})
    yield Door(
        "population_grid",
        theory.population_grid,
        lambda: {
            "model": "symmologe",
            "snr_expert": np.array([1.0, 2.0]),
            "snr_gate": np.array([[0.5]]),
            "cosine": 0.3,
            "d": 3,
            "jobs": 1,
            "progress": False,
        },
        share=3.0,
    )
    yield Door("population_problem", theory.population_problem, _population_problem, share=3.0)
    yield Door(
        "population_problem radius",
        theory.population_problem,
        lambda: {"model": "symmologe", "theta_star": ex.THETA, "radius": np.array([1.0, 1.0]), "tol": 1e-2},
    )
    yield Door(
        "population_problem starts",
        theory.population_problem,
        lambda: {"model": "symmologe", "theta_star": ex.THETA, "starts": 2.0 * ex.THETA[None], "tol": 1e-2},
    )
    yield Door(
        "PopulationProblem.contains",
        lambda theta: ex.population().contains(theta),
        lambda: {"theta": ex.THETA},
    )
    yield Door(
        "snr_coordinates",
        theory.snr_coordinates,
        lambda: {"model": "symmoline", "theta_star": ex.THETA, "covariance": np.eye(2), "sigma": 0.5},
        share=2.0,
    )
    yield Door(
        "ball_constants",
        theory.ball_constants,
        lambda: {
            "problem": ex.population(),
            "radius": np.array([0.1, 0.2]),
            "samples": 2,
            "seed": 0,
            "progress": None,
        },
        share=2.0,
    )
    yield Door(
        "basin_map",
        theory.basin_map,
        lambda: {
            "problem": ex.population(),
            "u": np.array([0.5, 1.0]),
            "v": np.array([0.1]),
            "max_iter": 5,
            "progress": None,
        },
        share=2.0,
    )
    yield Door("check_bound", theory.check_bound, _bound)
    yield Door(
        "BoundGrid",
        _bound_grid,
        lambda: {
            "snr_expert": np.array([1.0, 2.0]),
            "snr_gate": np.array([0.5, 1.0]),
            "cosine": np.array([0.0, 0.5]),
            "d": 2,
        },
    )


def _measure(lab, wrong=0.0):
    yield theory.Comparison(1.0 + wrong, 1.0, 1e-9, 1.0)


def _claim():
    return {
        "id": "Z1-mine",
        "statement": "one is one",
        "latex": "1 = 1",
        "source": "here",
        "kind": theory.Kind.IDENTITY,
        "measure": _measure,
        "sabotages": (theory.Sabotage("off", {"wrong": 0.5}, truth=0.0),),
        "assumptions": (lambda lab: "",),
        "proof": "",
        "resolution": 1e-3,
        "scope": "problem",
        "compares": (),
        "certified": None,
    }


def _sabotage():
    return {"name": "off", "variant": {"wrong": 0.5}, "assumptions": (lambda lab: "",), "truth": 0.0}


def _comparison():
    numbers = {"predicted": 1.0, "observed": 1.0, "budget": 1e-9, "scale": 1.0, "trivial": 2.0}
    return {**numbers, "where": {"iteration": 1}, "part": "first"}


def _claims():
    yield Door("Claim", theory.Claim, _claim)
    yield Door("Sabotage", theory.Sabotage, _sabotage)
    # sides may be infinite or no numbers at all: that is for the judge to say
    yield Door("Comparison", lambda **named: theory.Comparison(**named) and None, _comparison)
    yield Door("Lab", theory.Lab, lambda: {"problem": ex.problem(), "theta0": ex.THETA, "seed": 0}, share=2.0)


def doors():
    """Return the doors of this file."""
    return [
        *_claims(),
        *_rates(),
        *_populations(),
        Door("observed_rate", theory.observed_rate, lambda: {"result": ex.recorded()}),
        Door("observed_rate path", _observed, lambda: {"theta": ex.trace()}, share=2.0),
        Door("best_step", theory.best_step, lambda: {"eigenvalues": np.array([0.2, 0.7])}),
        Door(
            "reference_optimum",
            theory.reference_optimum,
            lambda: {"problem": ex.problem(), "theta0": ex.THETA, "em_iterations": 40},
            share=2.0,
        ),
        Door(
            "verify",
            theory.verify,
            lambda: {
                "problem": ex.problem(),
                "theta0": ex.THETA,
                "claims": ["E1", "E4-em-is-mirror-descent"],
                "seed": 0,
                "name": "mine",
                "progress": None,
                "certify": False,
            },
            share=3.0,
        ),
        Door(
            "verify_population",
            theory.verify_population,
            lambda: {"model": "symmologe", "claims": ["S6-swap-symmetry"], "seed": 0, "progress": None},
            share=2.0,
        ),
    ]
