"""The same work on an existing Dask cluster."""

import warnings
from concurrent.futures import CancelledError
from contextlib import contextmanager

_TIMEOUT = 10.0
_RETRIES = 3
"""A batch whose worker dies goes to another one, this many times."""


@contextmanager
def cluster(address):
    """Open an executor on a Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler, for example ``tcp://10.0.0.1:8786``.

    Yields
    ------
    executor : concurrent.futures.Executor
    workers : int
        Threads of all workers.

    Raises
    ------
    ValueError
        When Dask is not installed, the scheduler does not answer or has no workers, or a batch was lost:
        its workers kept dying, they do not have emmd, or the scheduler went away.
    """
    client = _connect(address)
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ValueError(f"--scheduler must have workers, got none at {address}")
        with client.get_executor(retries=_RETRIES, pure=False) as executor:
            yield executor, threads
    except _lost_work() as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"the cluster at {address} lost a batch: {reason}; finished runs are kept, "
            "the same command goes on from there"
        ) from error
    finally:
        client.close()


def _lost_work():
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    return KilledWorker, FutureCancelledError, CancelledError, ImportError


def _connect(address):
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError("--scheduler needs Dask: pip install 'emmd[distributed]'") from error
    try:
        with warnings.catch_warnings():
            # other versions of Python or NumPy on the workers are reported by Dask itself, at length
            warnings.simplefilter("ignore")
            return Client(address, timeout=_TIMEOUT)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"--scheduler must be the address of a running Dask scheduler, got {address}: {reason}"
        ) from error
