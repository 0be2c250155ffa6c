"""What is worth knowing of a machine when its seconds are read later."""

import os
import platform
import socket
from importlib.metadata import version


def machine_facts():
    """Return host, processor, number of cores and versions, as a plain dict."""
    packages = {name: version(name) for name in ("numpy", "scipy", "numba")}
    return {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **packages,
    }


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
