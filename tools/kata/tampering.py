"""Whether what a solution is tested with is still what it was before the solution ran.

A function of NumPy, pytest, hypothesis, the harness or Python itself that was replaced proves nothing any
more, nor does one of a suite's. What is compared is who stands where: every function and class in those modules
and every method of those classes. The comparison itself calls nothing that could have been replaced, and puts back
what was, so that the harness can still say so. That a function's body is swapped is seen by the `guard`.
"""

import sys
from functools import partial
from types import ModuleType

WATCHED = ("builtins", "numpy", "pytest", "_pytest", "pluggy", "hypothesis", "kata", "os", "json", "faulthandler")
CHANGING = ("_pytest.assertion.util",)  # where pytest itself puts another function for each test
SUITES = ("test_visible", "test_hidden")
KINDS = (ModuleType, property, classmethod, staticmethod)


class Seal:
    """What the harness consists of at this moment."""

    def __init__(self):
        self._pieces = [(name, vars(place), _held(vars(place)), put) for name, place, put in _places()]

    def mend(self):
        """Put back every function, class or module that was replaced; return the first one's dotted name, else ""."""
        first = ""
        for name, now, before, put in self._pieces:
            if not before.items() <= now.items():
                for key, value in before.items():
                    if now.get(key) is not value:
                        put(key, value)
                        first = first or f"{name}.{key}"
        return first


def is_watched(name):
    """Tell whether a module is one that a solution is tested with."""
    return (name.partition(".")[0] in WATCHED or name.endswith(SUITES)) and name not in CHANGING


def _places():
    """(name, module or class, what puts a value under a name there) of everything watched."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and is_watched(name):
            yield name, module, vars(module).__setitem__
            for key, value in list(vars(module).items()):
                if isinstance(value, type) and value.__module__ == name:
                    yield f"{name}.{key}", value, partial(type.__setattr__, value)


def _held(names):
    return {key: value for key, value in names.items() if callable(value) or isinstance(value, KINDS)}
