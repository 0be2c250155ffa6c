"""The model of the standardised features that an estimator's parameters ask for, and the problem it poses."""

from typing import Any

import numpy as np

from emmd.core.checks import not_negative
from emmd.core.problem import Problem
from emmd.core.protocols.family import family_object
from emmd.core.protocols.gate import gate_object
from emmd.estimators.building.grouped import GroupedMixture
from emmd.estimators.known import chosen_columns, fixed_parameters, parameter_shapes
from emmd.estimators.starts.draw import pooled_fit
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.models.mixture.model import MixtureOfExperts
from emmd.models.mixture.ridge import LARGEST_PENALTY


class ModelBuilder:
    """Makes models and problems of what an estimator's parameters say."""

    n_experts: int
    gate: Any
    fixed: dict | None
    prior_strength: float
    expert_features: Any
    gate_features: Any
    exposure: int | str | None = None
    _units: Any
    _model: Any
    _make_family: Any

    def _problem_of(self, Z, y, weights, groups):
        """Return the problem that standardised data pose; a model for groups keeps them together."""
        if groups is None:
            return Problem(self._model, Z, y, weights)
        if self.prior_strength:
            raise ValueError(f"prior_strength must be 0 where rows have groups, got {self.prior_strength!r}")
        parts = self._parts(self._units)
        if np.ndim(parts["expert_ridge"]):
            # the column of groups has no slope
            parts["expert_ridge"] = np.append(parts["expert_ridge"], 0.0)
        model = GroupedMixture(
            Z.shape[1] + 1, self.n_experts, self._model.family, group_column=Z.shape[1], **parts
        )
        return Problem(model, np.column_stack([Z, groups]), y, weights)

    def _exposure(self, n_features):
        """Return the column of exposures, or None."""
        if self.exposure is None:
            return None
        names = getattr(self, "feature_names_in_", None)
        return chosen_columns("exposure", [self.exposure], n_features, names)[0]

    def _columns(self, n_features, exposure):
        """Return the columns of X that experts and gate are to use."""
        names = getattr(self, "feature_names_in_", None)

        def chosen(argument):
            columns = getattr(self, argument)
            found = chosen_columns(argument, columns, n_features, names)
            return [j for j in found if columns is not None or j != exposure]

        expert = chosen("expert_features")
        if gate_object(self.gate).sees_features:
            return expert, chosen("gate_features")
        if self.gate_features is not None:
            raise ValueError(f"gate_features must be None for gate={self.gate!r}, got {self.gate_features!r}")
        return expert, []

    def _with_prior(self, problem):
        """Return the problem with pseudo-observations that do not depend on x, if any are asked for."""
        strength = not_negative("prior_strength", self.prior_strength, LARGEST_PENALTY)
        if strength == 0.0:
            return problem
        model = ConjugatePrior(problem.model, strength, self._prior_centre(problem))
        return Problem(model, problem.X, problem.y, problem.weights)

    def _prior_centre(self, problem):
        """Return K equal experts without slopes, fitted to all rows, and equal mixing weights."""
        model = problem.model
        named = {name: np.zeros(shape) for name, shape in model.shapes.items() if name in model.index}
        if self._units.intercept and "coef" in named:
            offset = None if model.offset_column is None else 1
            width = 1 + (offset is not None)
            alone = MixtureOfExperts(width, model.n_experts, model.family, "constant", offset_column=offset)
            ones = Problem(alone, _constant(problem), problem.y, problem.weights)
            fitted = alone.unpack(pooled_fit(ones))
            named["coef"][..., -1:], named["dispersion"] = fitted["coef"], fitted["dispersion"]
        return model.pack(**named)

    def _make_model(self, units):
        family, options = self._make_family(units)
        family = family_object(family, **options)
        if units.exposure is not None and not family.log_link:
            raise ValueError(
                f"exposure must be None for family {family.name!r}: it has no log link, got {self.exposure!r}"
            )
        parts = self._parts(units, family)
        width = units.width + units.intercept + (units.exposure is not None)
        return MixtureOfExperts(width, self.n_experts, family, **parts)

    def _parts(self, units, family=None):
        """Return what experts and gate see, their penalties, and what is fixed, as the model takes them."""
        family = self._model.family if family is None else family
        constant, inner = not gate_object(self.gate).sees_features, units.width + units.intercept
        parts: dict[str, Any] = {"gate": self.gate, "expert_columns": units.columns("expert")}
        if units.exposure is not None:
            parts["offset_column"] = inner
        if not constant:
            parts["gate_columns"] = units.columns("gate")
        for part in ("expert_ridge", "gate_ridge"):
            # an intercept is not penalised
            penalty = not_negative(part, getattr(self, part), LARGEST_PENALTY)
            parts[part] = np.full(units.width, penalty) if penalty else 0.0
            if penalty:
                parts[part] = np.append(
                    parts[part], np.zeros(inner + (units.exposure is not None) - units.width)
                )
        shapes = parameter_shapes(family, self.n_experts, units, constant)
        parts["fixed"] = fixed_parameters(self.fixed, family, units, shapes, constant)
        return parts


def _constant(problem):
    """Return a column of ones, and the offsets beside it where there are any."""
    ones, column = np.ones((problem.n_rows, 1)), problem.model.offset_column
    return ones if column is None else np.column_stack([ones, problem.X[:, column]])
