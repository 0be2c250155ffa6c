"""C4 on the population: relative strong convexity on balls around theta*, and EM's contraction there.

The one-step bound is loose near theta*, where D_A contracts by the square of the rate; the inequality behind
it, D_L >= alpha D_A on the ball, is sharp next to the ball's worst point.
"""

import numpy as np

from theory.claim import Claim, Comparison, Kind, Sabotage
from theory.numeric.information import missing_information
from theory.numeric.reference import reference_optimum
from theory.numeric.rounding import loss_rounding
from theory.population.ball import ball_constants
from theory.population.lab import at
from theory.population.problem import population_problem

_POINTS = {"symmoline": (1.5, 1.0, 0.5), "symmologe": (4.0, 2.0, 0.3)}
_RADII = (0.1, 0.3, 0.7)
_TOL = 1e-5
_DIRECTIONS = 6


def measure(lab, alpha="worst over the ball"):
    """Compare D_A - D_L with (1 - alpha) D_A at the worst point, and EM steps from spheres around theta*."""
    problem, balls, optimum = lab.once("C4 balls", lambda: _balls(lab))
    for radius, worst, theta_worst in zip(balls.radius.tolist(), balls.alpha, balls.theta):
        factor = 1.0 - (worst if alpha == "worst over the ball" else balls.at_truth)
        yield _relative_convexity(lab, problem, radius, theta_worst, factor)
        for theta in _on_sphere(lab, problem, radius, theta_worst):
            before = problem.divergence(optimum, theta)
            after = problem.divergence(optimum, problem.em_step(theta))
            where = at(*_POINTS[lab.model.name], radius=radius, theta=theta, alpha=1.0 - factor)
            # the nodes' optimum is theta* up to their accuracy, and so is the ball
            yield Comparison(factor * before, after, 10 * _TOL * before, before, where)


def _relative_convexity(lab, problem, radius, theta_worst, factor):
    """D_L by the marginal likelihood alone, between two points of the ball next to its worst one."""
    v = problem.theta_star + 0.95 * (theta_worst - problem.theta_star)
    mode = missing_information(problem, v).vectors[:, -1]
    u = v + 0.05 * radius * mode / np.linalg.norm(mode)
    scale = problem.divergence(u, v)
    loss_divergence = problem.loss(u) - problem.loss(v) - problem.gradient(v) @ (u - v)
    where = at(*_POINTS[lab.model.name], radius=radius, u=u, v=v, alpha=1.0 - factor)
    rounding = loss_rounding(problem, u) + loss_rounding(problem, v)
    return Comparison(factor * scale, float(scale - loss_divergence), rounding, scale, where)


def _balls(lab):
    snr_expert, snr_gate, cosine = _POINTS[lab.model.name]
    gate = snr_gate * np.array([cosine, np.sqrt(1 - cosine**2)])
    truth = np.array([snr_expert, 0.0, *gate])
    problem = population_problem(lab.model.name, truth, radius=1.01 * _RADII[-1], tol=_TOL)
    balls = ball_constants(problem, _RADII, samples=8, seed=int(lab.rng("C4 balls").integers(2**31)))
    return problem, balls, reference_optimum(problem, truth).theta


def _on_sphere(lab, problem, radius, theta_worst):
    """The way to the worst point, its opposite and random directions, scaled to the sphere."""
    truth = problem.theta_star
    directions = [theta_worst - truth, truth - theta_worst]
    directions += list(lab.rng(f"C4 ball {radius}").standard_normal((_DIRECTIONS, truth.size)))
    return [truth + radius * d / np.linalg.norm(d) for d in directions]


CLAIM = Claim(
    id="C4-balls",
    statement="On a ball around theta* D_L >= alpha D_A, and a step of population EM contracts D_A(theta*, .)"
    " by 1 - alpha, alpha the worst 1 - lambda_max(M) of the ball.",
    latex=r"D_L \ge \alpha_r D_A \text{ on } B_r(\theta^*), \quad"
    r" D_A(\theta^*, EM(\theta)) \le (1-\alpha_r)\, D_A(\theta^*, \theta),"
    r" \quad \alpha_r = \min_{B_r} (1 - \lambda_{\max}(M))",
    source="Fruytier, Mokhtari, Sanghavi 2025; Kunstner, Kumar, Schmidt 2021; region constant computed",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(Sabotage("alpha at theta* used on the whole ball", {"alpha": "at the optimum"}),),
    scope="population",
)
