"""A second name for a package: ``import theory`` from the repository's root is ``emmd.theory``."""

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec


class _Alias(MetaPathFinder, Loader):
    """Answers for a package and all its modules with those of another name: one object, two names."""

    def __init__(self, name, target):
        self._prefix, self._target = name + ".", target

    def find_spec(self, fullname, path=None, target=None):
        """Return a spec for the modules below the alias."""
        return ModuleSpec(fullname, self) if fullname.startswith(self._prefix) else None

    def create_module(self, spec):
        """Return the module that has the true name, and keep what it says of itself."""
        module = import_module(f"{self._target}.{spec.name.removeprefix(self._prefix)}")
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module):
        """Give the module back its own spec, which the import system has replaced."""
        module.__spec__ = module.__spec__.loader_state


def alias(name, target):
    """Make ``import name`` and ``import name.anything`` give the modules of `target`.

    Parameters
    ----------
    name, target : str
        Dotted names of packages.
    """
    if not any(isinstance(finder, _Alias) and finder._prefix == name + "." for finder in sys.meta_path):
        sys.meta_path.insert(0, _Alias(name, target))
    sys.modules[name] = import_module(target)
