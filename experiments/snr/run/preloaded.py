"""What all worker processes share: everything imported, and Numba ready to load compiled kernels."""

from numba.core.registry import cpu_target

import emmd.experiments.snr.run.execute

# otherwise the first kernel of each worker does this
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
emmd.experiments.snr.run.execute.discover_all()
