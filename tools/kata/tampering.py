"""Whether what a solution is tested with is still what it was before the solution ran.

A function of NumPy, pytest, hypothesis, the harness or Python itself that was replaced proves nothing any
more. What is compared is who stands where: every function and class in those modules and every method of
those classes. The comparison itself calls nothing that could have been replaced.
"""

import sys
from types import ModuleType

WATCHED = ("builtins", "numpy", "pytest", "_pytest", "pluggy", "hypothesis", "kata", "os", "json", "faulthandler")
CHANGING = ("_pytest.assertion.util",)  # where pytest itself puts another function for each test
KINDS = (ModuleType, property, classmethod, staticmethod)


class Seal:
    """What the harness consists of at this moment; `broken()` names the first piece that was replaced."""

    def __init__(self):
        self._pieces = [(name, vars(place), _held(vars(place))) for name, place in _places()]

    def broken(self):
        """Return the dotted name of the first replaced function, class or module, "" where all are in place."""
        for name, now, before in self._pieces:
            if not before.items() <= now.items():
                for key, value in before.items():
                    if now.get(key) is not value:
                        return f"{name}.{key}"
        return ""


def _places():
    """(name, module or class) of everything watched."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.partition(".")[0] in WATCHED and name not in CHANGING:
            yield name, module
            for key, value in list(vars(module).items()):
                if isinstance(value, type) and value.__module__ == name:
                    yield f"{name}.{key}", value


def _held(names):
    return {key: value for key, value in names.items() if callable(value) or isinstance(value, KINDS)}
