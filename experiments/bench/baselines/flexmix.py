"""R's flexmix: Gaussian or Poisson experts with a multinomial gate, timed inside R."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emmd.experiments.bench.baseline import Baseline, Runner

_CHECK = 'if (!requireNamespace("flexmix", quietly = TRUE)) quit(status = 1)'

_SCRIPT = """
suppressPackageStartupMessages(library(flexmix))
arguments <- commandArgs(trailingOnly = TRUE)
n <- as.integer(arguments[2]); d <- as.integer(arguments[3]); steps <- as.integer(arguments[4])
K <- as.integer(arguments[6]); family <- arguments[7]
read <- function(name, count) readBin(file.path(arguments[1], name), "double", count)
X <- matrix(read("X", n * d), n); y <- read("y", n); posterior <- matrix(read("r", n * K), n)
run <- function(iterations) {
  began <- proc.time()
  fit <- flexmix(y ~ X - 1, k = K, model = FLXMRglm(family = family),
                 cluster = posterior, concomitant = FLXPmultinom(~ X - 1),
                 control = list(iter.max = iterations, minprior = 0, tolerance = 0))
  taken <- proc.time() - began
  list(fit = fit, seconds = taken[["user.self"]] + taken[["sys.self"]])
}
last <- run(steps)
found <- parameters(last$fit)
gate <- parameters(last$fit, which = "concomitant")
seconds <- 0
if (arguments[5] == "time") {
  # R's clock is coarse: more iterations until they take a tenth of a second
  repeat {
    first <- run(1)
    taken <- last$seconds - first$seconds
    if (taken > 0.1 || steps > 5000) break
    steps <- 4 * steps
    last <- run(steps)
  }
  seconds <- max(taken, 0) / max(last$fit@iter - first$fit@iter, 1)
}
spread <- if (family == "gaussian") found["sigma", ] else c()
cat(format(c(seconds, found[1:d, ], spread, gate), digits = 17))
"""


_TIMED = (("gaussian", 2), ("poisson", 3))


@dataclass(frozen=True)
class _Rscript(Runner):
    """Runs R once a call; R itself takes the processor time of its iterations."""

    call: Callable

    def seconds(self, theta, steps):
        """Return the processor time of one iteration: of at least `steps` + 1, less the first one."""
        return float(self.call(theta, steps + 1, "time")[0])


class Flexmix(Baseline):
    """flexmix (Gruen and Leisch 2008) through Rscript; optional.

    Its answer differs in the variance, which it divides by n - rank, and in the gate, which it fits to
    nnet's tolerance of 1e-8 in the deviance, about 1e-4 in the predictors.
    """

    name = "flexmix"
    title = "flexmix (R)"
    most_rounds = 3

    def missing(self):
        """Return "" when R with flexmix is installed."""
        if shutil.which("Rscript") is None:
            return "R is not installed"
        ran = subprocess.run(["Rscript", "-e", _CHECK], capture_output=True, check=False)
        return "" if ran.returncode == 0 else "R has no package flexmix"

    def refuses(self, timed):
        """Take two Gaussian and three Poisson experts only: more of them take minutes."""
        if (timed.kind, timed.n_experts) in _TIMED:
            return ""
        return "flexmix has no symmetric experts, and is timed for two Gaussian and three Poisson ones only"

    def tolerance(self, timed):
        """Return twice what the divisor n - rank makes of a log variance, with n / 2 rows an expert."""
        n, d = timed.problem.X.shape
        return 4.0 * d / n + 1e-3

    def prepare(self, timed):
        """Return a runner that hands the problem to R in binary files."""
        problem, K = timed.problem, timed.n_experts
        n, d = problem.X.shape

        def call(theta, steps, what="fit"):
            arrays = {"X": problem.X, "y": problem.y, "r": problem.responsibilities(theta)}
            with tempfile.TemporaryDirectory() as folder:
                for name, array in arrays.items():
                    np.asarray(array, dtype=float).ravel(order="F").tofile(Path(folder, name))
                words = ["Rscript", "-e", _SCRIPT, folder, *map(str, (n, d, steps)), what, str(K), timed.kind]
                ran = subprocess.run(words, capture_output=True, text=True, check=True)
            return np.array(ran.stdout.split(), dtype=float)

        def advance(theta, steps):
            numbers = call(theta, steps)[1:]
            coef, sigma, gate = np.split(numbers, [K * d, len(numbers) - K * d])
            # its gate's reference is the first expert, emmd's the last, whose row `pack` subtracts
            return problem.model.pack(
                coef=coef.reshape(K, 1, d), dispersion=2.0 * np.log(sigma), gate=gate.reshape(K, d)
            )

        return _Rscript(advance, call)


BASELINE = Flexmix()
