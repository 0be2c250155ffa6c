"""How the parameters of a mixture of experts lie in one flat vector."""

from itertools import permutations
from typing import Any

import numpy as np

from emmd.core.blocks import Block
from emmd.core.checks import positive_integer, real_array


class MixtureLayout:
    """Named views on theta: coefficients, dispersions, gate.

    Attributes
    ----------
    shapes : dict of str to tuple
        Of ``coef`` (K, n_linear, d), ``dispersion`` (K,), (1,) or (0,), and ``gate`` (K - 1, d_gate).
    blocks : list of Block
        The predictors: each expert's linear ones and dispersion, then the gate's logits.
    """

    n_features: int
    n_experts: int
    n_params: int
    family: Any
    gate: str
    columns: dict

    def _columns(self, name, columns):
        if columns is None:
            return list(range(self.n_features))
        chosen = [positive_integer(name, column, minimum=0) for column in columns]
        if not chosen or len(set(chosen)) < len(chosen) or max(chosen) >= self.n_features:
            raise ValueError(
                f"{name} must hold distinct columns from 0 to {self.n_features - 1}, got {list(columns)}"
            )
        return chosen

    def _lay_out(self):
        K, m, d = self.n_experts, self.family.n_linear, len(self.columns["expert"])
        spread = {"none": 0, "free": K, "shared": 1}[self.family.dispersion]
        gate_width = 1 if self.gate == "constant" else len(self.columns["gate"])
        self.shapes = {"coef": (K, m, d), "dispersion": (spread,), "gate": (K - 1, gate_width)}
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        self.n_params = int(ends[-1])
        index = np.arange(self.n_params)
        parts = dict(zip(self.shapes, np.split(index, ends[:-1])))
        self._index = {name: parts[name].reshape(shape) for name, shape in self.shapes.items()}
        self.blocks = [block for k in range(K) for block in self._expert_blocks(k)]
        gate_features = "constant" if self.gate == "constant" else "gate"
        self.blocks += [Block(row, gate_features) for row in self._index["gate"]]

    def _expert_blocks(self, k):
        yield from (Block(row, "expert") for row in self._index["coef"][k])
        if self.family.dispersion != "none":
            shared = self.family.dispersion == "shared"
            yield Block(self._index["dispersion"][[0 if shared else k]], "constant")

    # parameters

    def pack(self, coef, gate, dispersion=None):
        """Return theta for named parameters.

        Parameters
        ----------
        coef : array_like of shape (K, d) or (K, n_linear, d)
        gate : array_like of shape (K - 1, d_gate) or (K, d_gate)
            With K rows the last is subtracted from all: only differences matter.
        dispersion : array_like, optional
            Log variances (Gaussian) or log shapes (Gamma), shape (K,), or (1,) when shared.

        Returns
        -------
        ndarray of shape (p,)
        """
        K, m, d = self.shapes["coef"]
        theta = np.empty(self.n_params)
        coef = np.asarray(coef, dtype=float)
        theta[self._index["coef"]] = real_array(
            "coef", coef.reshape(K, m, d) if coef.size == K * m * d else coef, 3, (K, m, d)
        )
        gate = real_array("gate", gate, 2, (None, self.shapes["gate"][1]))
        if len(gate) == K:
            gate = gate[:-1] - gate[-1]
        theta[self._index["gate"]] = real_array("gate", gate, 2, self.shapes["gate"])
        if self.shapes["dispersion"][0]:
            theta[self._index["dispersion"]] = real_array(
                "dispersion", dispersion, 1, self.shapes["dispersion"]
            )
        return theta

    def unpack(self, theta):
        """Return the named parameters in theta: dict with ``coef``, ``dispersion`` and ``gate``."""
        theta = real_array("theta", theta, 1, (self.n_params,))
        return {name: theta[index] for name, index in self._index.items()}

    def equivalents(self, theta):
        """Return theta under all permutations of the experts, shape (K!, p), theta first."""
        named = self.unpack(theta)
        gate = np.concatenate([named["gate"], np.zeros_like(named["gate"][:1])])
        copies = []
        for order in map(list, permutations(range(self.n_experts))):
            free = self.family.dispersion == "free"
            dispersion = named["dispersion"][order] if free else named["dispersion"]
            copies.append(self.pack(named["coef"][order], gate[order], dispersion))
        return np.array(copies)

    def transform_features(self, theta, B):
        """Return theta with every coefficient vector multiplied by B^-T.

        Raises
        ------
        ArithmeticError
            When experts or gate see only some of the columns, which B would mix.
        """
        if any(len(columns or B) < self.n_features for columns in self.columns.values()):
            raise ArithmeticError("features cannot be mixed when experts or gate see only some of them")
        moved = theta.copy()
        for block in self.blocks:
            if block.features != "constant":
                moved[block.entries] = np.linalg.solve(B.T, theta[block.entries])
        return moved

    def parameter_width(self):
        """Return the number of features of each parameter's predictor, shape (p,)."""
        width = np.ones(self.n_params)
        for block in self.blocks:
            width[block.entries] = len(block.entries)
        return width
