"""What all worker processes share: everything imported, and Numba ready to load compiled kernels."""

import signal

# Ctrl-C reaches the whole group: the parent alone answers, from before the imports on
signal.signal(signal.SIGINT, signal.SIG_IGN)

from numba.core.registry import cpu_target  # noqa: E402

import experiments.snr.execute  # noqa: E402

# otherwise the first kernel of each worker does this
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
experiments.snr.execute.discover_all()
