"""What families of counts with a log link have in common."""

import numpy as np
from scipy.special import gammaln

from emmd.core.protocols.family import Family, whole_numbers


class Counts(Family):
    """y = 0, 1, 2, ... about e^u, u = x'beta; the base measure holds 1 / y!."""

    discrete = True
    log_link = True

    def check_target(self, y):
        """Raise unless y holds counts."""
        return whole_numbers(y, f"counts 0, 1, 2, ... for family {self.name}")

    def log_base(self, y):
        """Return -log y!."""
        return -gammaln(y + 1.0)

    def working_target(self, y):
        """Return log(y + 1/2)."""
        return np.log(y + 0.5)
