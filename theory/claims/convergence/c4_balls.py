"""C4 on the population: relative strong convexity on balls around theta*, and EM's contraction there.

The one-step bound is loose near theta*, where D_A contracts by the square of the rate; the inequality behind
it, D_L >= alpha D_A, is sharp next to the ball's worst point. That point is searched for; alpha is a bound,
row by row, on the segment between the two points compared.
"""

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.curvature import Curvature
from emmd.theory.numeric.bounds.rounding import gradient_rounding, loss_rounding
from emmd.theory.numeric.rates.information import missing_information
from emmd.theory.numeric.rates.reference import reference_optimum
from emmd.theory.population.lab import at
from emmd.theory.population.landscape.ball import ball_constants
from emmd.theory.population.landscape.problem import population_problem

_POINTS = {"symmoline": (1.5, 1.0, 0.5), "symmologe": (4.0, 2.0, 0.3)}
_RADII = (0.1, 0.3, 0.7)
_TOL = 1e-5
_DIRECTIONS = 6


def measure(lab, alpha="bound on the segment"):
    """Compare D_A - D_L with (1 - alpha) D_A at the worst point, and EM steps from spheres."""
    problem, balls, optimum = lab.once("C4 balls", lambda: _balls(lab))
    bounds = lab.once("C4 bounds", lambda: Curvature(problem, lab.formula))

    def factor(u, v):
        if alpha == "at the optimum":
            return 1.0 - balls.at_truth
        return lab.once(
            ("C4 segment", u.tobytes(), v.tobytes()), lambda: bounds.segment(u, v, 0.05, 12).upper
        )

    for radius, worst in zip(balls.radius.tolist(), balls.theta):
        yield _relative_convexity(lab, problem, radius, worst, factor)
        for theta in _on_sphere(lab, problem, radius, worst):
            before = problem.divergence(optimum, theta)
            after = problem.divergence(optimum, problem.em_step(theta))
            share = factor(theta, optimum)
            where = at(*_POINTS[lab.model.name], radius=radius, theta=theta, alpha=1.0 - share)
            # the nodes' optimum is found to rounding
            budget = 1e-9 * before
            yield Comparison(share * before, after, budget, before, where, part=f"steps at radius {radius}")


def _relative_convexity(lab, problem, radius, worst, factor):
    """D_L by the marginal likelihood alone, between two points of the ball next to its worst one."""
    v = problem.theta_star + 0.95 * (worst - problem.theta_star)
    mode = missing_information(problem, v).vectors[:, -1]
    u = v + 0.05 * radius * mode / np.linalg.norm(mode)
    scale, share = problem.divergence(u, v), factor(u, v)
    loss_divergence = problem.loss(u) - problem.loss(v) - problem.gradient(v) @ (u - v)
    where = at(*_POINTS[lab.model.name], radius=radius, u=u, v=v, alpha=1.0 - share)
    rounding = loss_rounding(problem, u) + loss_rounding(problem, v)
    rounding += float(gradient_rounding(problem, v) @ np.abs(u - v))
    sides = share * scale, float(scale - loss_divergence)
    return Comparison(*sides, rounding, scale, where, part=f"relative convexity at radius {radius}")


def _balls(lab):
    snr_expert, snr_gate, cosine = _POINTS[lab.model.name]
    gate = snr_gate * np.array([cosine, np.sqrt(1 - cosine**2)])
    truth = np.array([snr_expert, 0.0, *gate])
    problem = population_problem(lab.model.name, truth, radius=1.01 * _RADII[-1], tol=_TOL)
    balls = ball_constants(problem, _RADII, samples=8, seed=int(lab.rng("C4 balls").integers(2**31)))
    return problem, balls, reference_optimum(problem, truth).theta


def _on_sphere(lab, problem, radius, worst):
    """The way to the worst point, its opposite and random directions, scaled to the sphere."""
    truth = problem.theta_star
    directions = [worst - truth, truth - worst]
    directions += list(lab.rng(f"C4 ball {radius}").standard_normal((_DIRECTIONS, truth.size)))
    return [truth + radius * d / np.linalg.norm(d) for d in directions]


CLAIM = Claim(
    id="C4-balls",
    statement="On a ball around theta* D_L >= alpha D_A, and a step of population EM contracts D_A(theta*, .)"
    " by 1 - alpha, alpha at most 1 - lambda_max(M) between the points compared.",
    latex=r"D_L \ge \alpha_r D_A \text{ on } B_r(\theta^*), \quad"
    r" D_A(\theta^*, EM(\theta)) \le (1-\alpha_r)\, D_A(\theta^*, \theta),"
    r" \quad \alpha_r \le 1 - \lambda_{\max}(M) \text{ between}",
    source="Fruytier, Mokhtari, Sanghavi 2025; Kunstner, Kumar, Schmidt 2021; region constant bounded",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(Sabotage("alpha at theta* used on the whole ball", {"alpha": "at the optimum"}),),
    scope="population",
)
