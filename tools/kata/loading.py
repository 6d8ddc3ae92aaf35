"""Loading the solution under test: by absolute path, under a name of its own, never from stale bytecode."""

import contextlib
import functools
import inspect
import itertools
import linecache
import sys
import traceback
import types
from collections import Counter
from pathlib import Path

import numpy as np

from kata import rules
from kata.errors import KataError, SolutionError, Todo

_names = itertools.count(1)


def load(path, text=None):
    """Return the module made by running the file at `path`, or `text` in its place.

    Raises
    ------
    SolutionError
        If the file is missing or running it fails; one sentence with file and line.
    """
    path = Path(path)
    text = rules.text_of(path) if text is None else text
    module = types.ModuleType(f"kata_solution_{next(_names)}_{path.stem}")
    module.__file__ = str(path)
    linecache.checkcache(module.__file__)
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, module.__file__, "exec"), module.__dict__)
    except (SolutionError, KeyboardInterrupt):
        raise
    except BaseException as error:
        del sys.modules[module.__name__]
        raise SolutionError(*_import_failure(path, error)) from error
    return module


def _import_failure(path, error):
    """Return (sentence, line) for an exception that running the file ended with."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        shown = f": {error.text.strip()}" if error.text else ""
        line = error.lineno or 1
        return f"{path.name}:{line} has a syntax error, {error.msg}{shown}", line
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = frames[-1].lineno if frames else None
    place = f"{path.name}:{line}" if line else path.name
    if isinstance(error, SystemExit):
        return f"{place} leaves the program when it is imported (SystemExit). Remove that call.", line
    what = error if isinstance(error, KataError) else f"{type(error).__name__}: {error}"
    return f"{place} can't be imported: {what}", line


class Solution:
    """The module under test as the suites see it: its attributes, with the last call remembered.

    A name that is missing and a call that its signature can't take become a `SolutionError` sentence.
    `last_call` is text such as `conv2d_forward(x (2, 3, 5, 7), weight (4, 3, 2, 3), stride=(2, 1))`.
    `stems` is what the file may import from `cnn`, None where anything is allowed.
    """

    around = contextlib.nullcontext  # what a process that runs a solution does around its import
    judged = True  # whether the imports are

    def __init__(self, path, module=None, stems=None):
        self._path = Path(path)
        self._module = module
        self._stems = stems
        self._failure = None
        self.forget_last_call()

    def __repr__(self):
        return "solution"

    @property
    def last_call(self):
        """The last call of a function as text, made only when it is asked for; "" before any call."""
        if self._call is None:
            return ""
        name, arguments = self._call
        return f"{name}({', '.join(_argument(key, value) for key, value in arguments.items())})"

    def forget_last_call(self):
        """Begin anew: no call was made yet."""
        self._call, self._calls = None, Counter()

    @property
    def only_call(self):
        """The last call as text, its arguments left out where the function was called more than once."""
        return self.last_call if self._call is None or self._calls[self._call[0]] == 1 else f"{self._call[0]}(...)"

    def __getattr__(self, name):
        value = getattr(self._loaded(), name, self)
        if value is self:
            raise SolutionError(
                f"{self._path.name} has no {name}: was it renamed or removed? "
                f"python tools/reset.py {self._path.stem} brings the starter back, your file is kept beside it."
            )
        return self._recorded(name, value) if inspect.isfunction(value) else value

    def _loaded(self):
        if self._failure:
            raise SolutionError(*self._failure)
        if self._module is None:
            try:
                with self.around():
                    self._module = self._load()
            except SolutionError as error:
                self._failure = str(error), error.line
                raise
        return self._module

    def _load(self):
        text = rules.text_of(self._path)
        if self.judged and self._stems is not None:
            rules.refuse_foul(self._path, text, self._stems)
        return load(self._path, text)

    def _recorded(self, name, function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise SolutionError(
                    f"{name}{signature} can't be called as the starter's {name} can: {error}. "
                    "Keep the starter's signature."
                ) from None
            self._call = name, bound
            self._calls[name] += 1
            try:
                return function(*args, **kwargs)
            except NotImplementedError as error:
                raise Todo(str(error)).with_traceback(error.__traceback__) from None

        return call


def _argument(name, value):
    """An argument as text: arrays by their shape, plain values as they are, anything else by its name."""
    if isinstance(value, np.ndarray):
        return f"{name} {value.shape}"
    text = repr(value) if _is_plain(value) else ""
    return f"{name}={text}" if 0 < len(text) <= 40 else name


def _is_plain(value):
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, np.generic))
