"""Binomial experts, h(y) exp(y nu - trials log(1 + e^nu)): ``MixtureOfExperts(d, K, family=Binomial(5))``."""

import numpy as np
from scipy.special import expit, gammaln

from emmd import Family


class Binomial(Family):
    name = "binomial"

    def __init__(self, trials=5):
        self.trials = trials

    def check_target(self, y):
        if ((y < 0) | (y > self.trials) | (y != np.floor(y))).any():
            raise ValueError(f"y must hold whole numbers from 0 to {self.trials}, got others")
        return y

    def statistics(self, y):
        return y[:, None]

    def log_base(self, y):
        return gammaln(self.trials + 1) - gammaln(y + 1) - gammaln(self.trials - y + 1)

    def log_partition(self, nu):  # for complex nu too: claims differentiate by complex steps
        return self.trials * np.log1p(np.exp(nu[:, 0]))

    def mean(self, nu):
        return self.trials * expit(nu)

    def variance(self, nu):
        return (self.trials * expit(nu) * expit(-nu))[:, :, None]

    def sample(self, nu, rng):
        return rng.binomial(self.trials, expit(nu[:, 0])).astype(float)

    def prediction(self, xi):  # E[y], for the regressor
        return self.trials * expit(xi[:, 0])
