"""Problems with latent-variable models of the user's kind: three functions each, from `emmd.gallery`."""

import os
from importlib.util import find_spec

from emmd import gallery
from emmd.experiments.cases.case import Case
from emmd.kernels.compile.disk_cache import cache_folder

QUICK = "censored-exponential", "poisson-mixture", "student-t"
"""What `emmd verify` runs beside the built-in models; ``--model all`` runs every one."""


def gallery_cases(names, seed):
    """Yield the `Case` objects of models of the gallery.

    Parameters
    ----------
    names : sequence of str
    seed : int

    Raises
    ------
    ValueError
        Where JAX is not installed.
    """
    keep_compiled()
    for name in names:
        problem, theta0 = gallery.load(name, seed)
        note = f"{problem!r}, three functions (emmd.LatentModel), seed = {seed}"
        yield Case("gallery", problem, theta0, note)


def quick_names():
    """Return the names of those of the main job; none where JAX is not installed."""
    return () if find_spec("jax") is None else QUICK


def keep_compiled():
    """Have JAX keep what it compiles on disk, beside emmd's kernels, unless it keeps it elsewhere already."""
    if find_spec("jax") is None or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    import jax

    jax.config.update("jax_compilation_cache_dir", str(cache_folder().parent / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
