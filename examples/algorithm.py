"""An algorithm of one's own: EM that goes only a part of the way.

Use it as ``emmd.minimize(problem, theta0, DampedEM(0.8))``; as the base of an acceleration,
``emmd.minimize(problem, theta0, "squarem", base=DampedEM())``; or in `theory.predicted_rate`.
"""

from dataclasses import dataclass, replace

from emmd import Algorithm, Step, make_algorithm


@dataclass(frozen=True)
class DampedEM(Algorithm):
    """theta + damping (F(theta) - theta), F the EM map: options are fields of the dataclass."""

    damping: float = 0.5

    name = "damped_em"
    remedy = "Use a smaller damping."

    def __post_init__(self):
        if not 0.0 < self.damping <= 1.0:
            raise ValueError(f"damping must lie in (0, 1], got {self.damping}")

    def step(self, problem, theta, memory) -> Step:
        """Take one step: `minimize` owns the loop, the stopping rule and the status."""
        em = make_algorithm("em").step(problem, theta, None)
        return replace(em, theta=theta + self.damping * em.displacement, memory=None)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return the eigenvalues of the map's Jacobian: theory predicts the rate from them."""
        em = make_algorithm("em").linear_factors(complete_hessian, hessian, expected)
        return 1.0 - self.damping * (1.0 - em)
