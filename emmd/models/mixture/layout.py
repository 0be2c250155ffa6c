"""How the parameters of a mixture of experts lie in one flat vector."""

from itertools import pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from emmd.core.checks import describe, instance, positive_integer, real_array
from emmd.core.features import coefficients_after
from emmd.fits.multinomial import with_reference
from emmd.rows.predictors import Block


class MixtureLayout:
    """Named views on theta: coefficients, dispersions, gate.

    Attributes
    ----------
    shapes : dict of str to tuple
        Of ``coef`` (K, n_linear, d), ``dispersion`` (K,), (1,) or (0,), (K, n_dispersion) for several numbers
        each, and ``gate`` (K - 1, d_gate).
    fixed : dict of str to ndarray
        Named parameters that are held at known values and have no place in theta.
    index : dict of str to ndarray of int
        Where the free named parameters lie in theta.
    spans : dict of str to slice
        The same.
    ends : tuple of int
        Where the coefficients end in theta, and where the single numbers end that follow them: dispersions,
        and the logits of a constant gate.
    blocks : list of Block
        The predictors: each expert's linear ones and dispersion, then the gate's logits.
    """

    n_features: int
    n_experts: int
    n_params: int
    family: Any
    gate: Any
    columns: dict
    fixed: dict
    ridge: Any
    offset_column: int | None

    def _columns(self, name, columns):
        if columns is None:
            return [j for j in range(self.n_features) if j != self.offset_column]
        if isinstance(columns, str | bytes) or not np.iterable(columns):
            raise TypeError(f"{name} must be a sequence of columns or None, got {describe(columns)}")
        columns = list(columns)
        chosen = [positive_integer(name, column, minimum=0) for column in columns]
        if not chosen or len(set(chosen)) < len(chosen) or max(chosen) >= self.n_features:
            raise ValueError(
                f"{name} must hold distinct columns from 0 to {self.n_features - 1}, got {describe(columns)}"
            )
        return chosen

    def _lay_out(self, fixed):
        K, m, d = self.n_experts, self.family.n_linear, len(self.columns["expert"])
        several = () if self.family.n_dispersion == 1 else (self.family.n_dispersion,)
        spread = {"none": (0,), "free": (K, *several), "shared": (1,)}[self.family.dispersion]
        gate_width = len(self.columns["gate"]) if self.gate.sees_features else 1
        self.shapes = {"coef": (K, m, d), "dispersion": spread, "gate": (K - 1, gate_width)}
        self.fixed = self._fixed(fixed)
        free = {name: shape for name, shape in self.shapes.items() if name not in self.fixed}
        ends = np.cumsum([int(np.prod(shape)) for shape in free.values()])
        self.n_params = int(ends[-1])
        parts = np.split(np.arange(self.n_params), ends[:-1])
        self.index = {name: part.reshape(shape) for (name, shape), part in zip(free.items(), parts)}
        begins = [0, *ends]
        self.spans = {name: slice(*ends) for name, ends in zip(free, pairwise(begins))}
        coefs = self.spans["coef"].stop if "coef" in free else 0
        features = "gate" in free and self.gate.sees_features
        self.ends = coefs, self.spans["gate"].start if features else self.n_params
        self.blocks = [block for k in range(K) for block in self._expert_blocks(k)]
        gate_features = "gate" if self.gate.sees_features else "constant"
        self.blocks += [self._block("gate", k, gate_features) for k in range(K - 1)]

    def _fixed(self, fixed):
        fixed = instance("fixed", fixed, dict | None, "a dict of named parameters or None") or {}
        names = set(fixed)
        experts = {"coef"} if self.shapes["dispersion"] == (0,) else {"coef", "dispersion"}
        if names not in (set(), {"gate"}, experts):
            raise ValueError(
                f"fixed must hold 'gate', or the experts' {' and '.join(map(repr, sorted(experts)))}, "
                f"got {describe(list(names))}"
            )
        try:
            values = {name: self._shaped(name, fixed[name]) for name in names}
        except (ValueError, TypeError) as error:
            raise type(error)(f"fixed: {error}") from None
        if experts <= names:
            values.setdefault("dispersion", np.zeros(0))
        return values

    def _expert_blocks(self, k):
        yield from (self._block("coef", (k, j), "expert") for j in range(self.family.n_linear))
        if self.family.dispersion == "shared":
            yield self._block("dispersion", [0], "constant")
        elif self.family.dispersion == "free":
            for number in np.ndindex(self.shapes["dispersion"][1:]):
                yield self._block("dispersion", ([k], *number), "constant")

    def _block(self, name, where, features):
        if name in self.fixed:
            return Block(np.zeros(0, dtype=int), features, self.fixed[name][where])
        return Block(self.index[name][where], features)

    def null_directions(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return those of the gate's parameters that neither its probabilities nor a ridge depend on."""
        ridge = self.ridge is not None and self.ridge.gate is not None
        free = self.gate.settled and not ridge and "gate" in self.index
        return np.eye(self.n_params)[:, self.index["gate"].ravel() if free else []]

    # parameters

    def pack(
        self,
        coef: ArrayLike | None = None,
        gate: ArrayLike | None = None,
        dispersion: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return theta for named parameters.

        Parameters
        ----------
        coef : array_like of shape (K, d) or (K, n_linear, d)
        gate : array_like of shape (K - 1, d_gate) or (K, d_gate)
            With K rows the last is subtracted from all: only differences matter.
        dispersion : array_like, optional
            Log variances (Gaussian) or log shapes (Gamma), shape (K,), or (1,) when shared; (K, n_dispersion)
            for a family with several numbers.

        Returns
        -------
        ndarray of shape (p,)

        Raises
        ------
        ValueError
            Also for a fixed parameter with another value than the fixed one.
        """
        theta = np.empty(self.n_params)
        for name, value in {"coef": coef, "gate": gate, "dispersion": dispersion}.items():
            if name in self.index and self.index[name].size:
                theta[self.index[name]] = self._shaped(name, value)
            elif value is None or (isinstance(value, np.ndarray) and value.size == 0):
                continue
            elif name in self.fixed:
                self._require_fixed(name, value)
            else:
                raise ValueError(f"{name} must be left out: this mixture has none, got {describe(value)}")
        return theta

    def _require_fixed(self, name, value):
        if not np.array_equal(self._shaped(name, value), self.fixed[name]):
            raise ValueError(f"{name} is fixed and must keep its values or be left out, got others")

    def _shaped(self, name, value):
        if value is None:
            raise ValueError(f"{name} must be given, an array of shape {self.shapes[name]}, got None")
        if name == "coef":
            value = real_array(name, value, None)
            if value.size == np.prod(self.shapes[name]):
                value = value.reshape(self.shapes[name])
        if name == "gate":
            value = real_array(name, value, 2, (None, self.shapes[name][1]))
            if len(value) == self.n_experts:
                with np.errstate(over="ignore"):
                    value = value[:-1] - value[-1]
        return real_array(name, value, len(self.shapes[name]), self.shapes[name])

    def unpack(self, theta: ArrayLike) -> dict:
        """Return the named parameters: dict with ``coef``, ``dispersion`` and ``gate``, fixed ones too."""
        # a copy: who changes a named parameter does not mean to change theta
        return self.named(real_array("theta", theta, 1, (self.n_params,)).copy())

    def named(self, theta: np.ndarray) -> dict:
        """Return what `unpack` does for a theta that has been checked, as views of it."""
        return {
            name: self.fixed[name] if name in self.fixed else theta[self.spans[name]].reshape(shape)
            for name, shape in self.shapes.items()
        }

    def equivalents(self, theta: ArrayLike) -> np.ndarray:
        """Return theta under all permutations of the experts that keep what is fixed, theta first.

        Returns
        -------
        ndarray of shape (g, p)
            g = K! when nothing is fixed.
        """
        named = self.unpack(theta)
        orders = map(list, permutations(range(self.n_experts)))
        copies = [self._renamed(named, order) for order in orders]
        return np.array([self.pack(**copy) for copy in copies if self._keeps_fixed(copy)])

    def permuted(self, theta: np.ndarray, order: Any) -> np.ndarray:
        """Return theta with the experts in another order: the first is ``order[0]`` of theta's."""
        return self.pack(**self._renamed(self.named(theta), list(order)))

    def nearest_equivalent(
        self, theta: np.ndarray, reference: np.ndarray, scale: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the permutation of theta that lies next to `reference`.

        Which expert becomes the gate's reference decides what its vectors are; after that the squared
        distance is a sum over pairs of experts, and the best permutation an assignment problem: K of them
        instead of K! permutations.

        Parameters
        ----------
        theta, reference : ndarray of shape (p,)
        scale : ndarray of shape (p,), optional
            Lengths that count as one, e.g. standard errors; 1 by default.
        """
        units = {name: np.ones(value.shape) for name, value in self.fixed.items()}
        units |= {name: np.ones(self.shapes[name]) for name in self.index}
        if scale is not None:
            units |= {name: scale[self.index[name]] for name in self.index}
        named, target = self.named(theta), self.named(reference)
        found = [self._assigned(named, target, units, last) for last in range(self.n_experts)]
        return self.permuted(theta, min(found)[1])

    def _assigned(self, named, target, units, last):
        """Return the least squared distance with the expert `last` as the gate's reference, and the order."""
        cost = _squares(named["coef"], target["coef"], units["coef"], "coef" in self.fixed)
        if self.family.dispersion == "free":
            cost += _squares(
                named["dispersion"], target["dispersion"], units["dispersion"], "dispersion" in self.fixed
            )
        gate = with_reference(named["gate"])
        cost[:, :-1] += _squares(gate - gate[last], target["gate"], units["gate"], "gate" in self.fixed)
        cost[np.arange(self.n_experts) != last, -1] = np.inf
        try:
            experts, places = linear_sum_assignment(cost)
        except ValueError:
            # no permutation with this reference keeps what is fixed
            return np.inf, list(range(self.n_experts))
        order = experts[np.argsort(places)]
        return float(cost[order, np.arange(self.n_experts)].sum()), order.tolist()

    def _renamed(self, named, order):
        gate = with_reference(named["gate"])[order]
        free = self.family.dispersion == "free"
        dispersion = named["dispersion"][order] if free else named["dispersion"]
        return {"coef": named["coef"][order], "gate": gate[:-1] - gate[-1], "dispersion": dispersion}

    def _keeps_fixed(self, named):
        return all(np.array_equal(named[name], value) for name, value in self.fixed.items())

    def transform_features(self, theta: ArrayLike, B: ArrayLike) -> np.ndarray:
        """Return theta with every coefficient vector multiplied by B^-T.

        Raises
        ------
        ArithmeticError
            When experts or gate see only some of the columns, which B would mix, or are fixed.
        """
        if self.fixed or self._see_some():
            raise ArithmeticError(f"features cannot be mixed: {self.changes_with_features()}")
        transformed = real_array("theta", theta, 1, (self.n_params,)).copy()
        blocks = [block for block in self.blocks if block.features != "constant"]
        parts = coefficients_after(B, *(transformed[block.entries] for block in blocks))
        for block, part in zip(blocks, parts):
            transformed[block.entries] = part
        return transformed

    def changes_with_features(self) -> str:
        """Return why x -> Bx changes the problem, or "" when `transform_features` makes up for it."""
        if self.fixed:
            return "experts or gate are fixed"
        if self._see_some():
            return "experts or gate see only some of the columns, which B would mix"
        return "" if self.ridge is None else "a ridge penalty is not invariant under linear maps"

    def _see_some(self):
        return any(
            len(columns or range(self.n_features)) < self.n_features for columns in self.columns.values()
        )

    def parameter_width(self) -> np.ndarray:
        """Return the number of features of each parameter's predictor, shape (p,)."""
        width = np.ones(self.n_params)
        for block in self.blocks:
            width[block.entries] = len(block.entries)
        return width


def _squares(values, target, units, fixed):
    """Return the squared distances of every expert from every place; infinite where fixed values differ."""
    apart = (values[:, None] - target[None]) / units[None]
    squares = (apart**2).sum(axis=tuple(range(2, apart.ndim)))
    return np.where(squares > 0.0, np.inf, 0.0) if fixed else squares
