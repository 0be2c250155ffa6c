"""A pytest plugin: write what each passing test has called, and its seconds, to the file ``EMMD_CALLS``."""

import json
import os
from pathlib import Path

import pytest

from tests.mutants.calls import recorded

_calls: dict = {}
_times: dict = {}
_failed: set = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Record one test, with what it is the first to prepare."""
    with recorded() as _calls[item.nodeid]:
        return (yield)


def pytest_runtest_logreport(report):
    """Remember what does not pass: it would seem to catch everything."""
    if report.failed:
        _failed.add(report.nodeid)
    _times[report.nodeid] = _times.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish():
    """Write all calls."""
    passed = {name: calls for name, calls in _calls.items() if name not in _failed}
    Path(os.environ["EMMD_CALLS"]).write_text(json.dumps({"calls": passed, "times": _times}))
