"""Which functions a part of the work calls: a break changes nothing where its function is not called."""

import ast
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def recorded():
    """Yield a dict, filled at the end: by file, relative to `ROOT`, the first lines of what was called there.

    Compiled code calls unseen.
    """
    seen, found = set(), {}

    def see(frame, event, argument):
        if event == "call":
            seen.add(frame.f_code)

    threading.setprofile(see)
    sys.setprofile(see)
    try:
        yield found
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        for code in seen:
            path = Path(code.co_filename).resolve()
            if path.is_relative_to(ROOT):
                found.setdefault(str(path.relative_to(ROOT)), []).append(code.co_firstlineno)


def function_around(source, line):
    """Return the first and the last line of the outermost function around a line."""
    around = [
        (min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    ]
    return min((first, last) for first, last in around if first <= line <= last)


def reaching(calls, path, lines):
    """Return the keys of those `recorded` that called something between two lines of a file."""
    first, last = lines
    return [key for key, called in calls.items() if any(first <= k <= last for k in called.get(path, ()))]
