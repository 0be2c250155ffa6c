"""A model reduced to its definition: three functions, and everything else by the defaults of `emmd.Model`."""

import numpy as np

from emmd.core.protocols.model import Model


class Derived(Model):
    """Natural parameters, A and A_y of another model, as functions of theta itself."""

    def __init__(self, model):
        self.model, self.name = model, f"derived {model.name}"
        self.n_features, self.n_params = model.n_features, model.n_params
        self.n_targets = model.n_targets
        self._maps = {}

    def prepare(self, X, y, weights):
        """Return the model's own data, which hold X, y and weights."""
        return self.model.prepare(X, y, weights)

    def natural_parameters(self, data, rows):
        """Return eta for every row's own theta."""
        maps, offset = self._of(data)
        return self.model.natural_parameters(data, offset + np.einsum("nbp,np->nb", maps, rows))

    def _of(self, data):
        if id(data) not in self._maps:
            offset = self.model.predictor_rows(data, np.zeros(self.n_params))
            columns = [self.model.predictor_rows(data, e) - offset for e in np.eye(self.n_params)]
            self._maps[id(data)] = np.stack(columns, axis=2), offset
        return self._maps[id(data)]

    def log_partition(self, eta):
        """Return A."""
        return self.model.log_partition(eta)

    def log_numerator(self, data, eta):
        """Return A_y."""
        return self.model.log_numerator(data, eta)

    def penalty(self, theta):
        """Return the model's."""
        return self.model.penalty(theta)
