"""The functions a picture is drawn with: the solution's where they can be used, else the reference's."""

import functools
import traceback

import numpy as np

from kata import source
from kata.loading import load

TODO = "still to do"


class Unusable(Exception):
    """An exercise of the solution can't be drawn: which, and why; `why` is TODO where it is not written yet."""

    def __init__(self, exercise, why):
        super().__init__(f"{exercise}: {why}")
        self.exercise, self.why = exercise, why


class Code:
    """A solution with every exercise that can't be used replaced by the reference's, also inside the solution.

    Where no reference is shipped, nothing is replaced.

    What a forward keeps only its own backward can read. So a backward without its forward is the reference's as well,
    and where only the forward can be used, it is drawn, but caches come from the reference's.

    Parameters
    ----------
    topic : Topic
    path : Path
        The solution's file.
    without : container of str
        Exercises to take from the reference although they are written.

    Attributes
    ----------
    replaced : set of str
        The exercises that are the reference's.
    partners : set of str
        Those of them that could be used, had they their forward.
    used : set of str
        The exercises that were called, by the picture or by the solution where they are the reference's.
    """

    def __init__(self, topic, path, without=()):
        self.path, self.used, self.replaced, self.partners = path, set(), set(), set()
        self._calling, self._drawn_only = None, {}
        self.module = load(path)
        if path == topic.reference or topic.is_released:
            return
        reference, left, names = load(topic.reference), source.stubs_left(path), source.exercises(topic.reference)
        self.replaced = {name for name in names if name in left or name in without or not hasattr(self.module, name)}
        self._keep_pairs(names, reference)
        for name in self.replaced:
            setattr(self.module, name, self._noted(name, getattr(reference, name)))

    def _keep_pairs(self, names, reference):
        for forward in [name for name in names if name.endswith("_forward")]:
            backward = forward.replace("_forward", "_backward")
            if forward in self.replaced and backward in names and backward not in self.replaced:
                self.replaced.add(backward)
                self.partners.add(backward)
            elif backward in self.replaced and forward not in self.replaced:
                self._drawn_only[forward] = getattr(self.module, forward)
                setattr(self.module, forward, getattr(reference, forward))

    def _noted(self, name, value):
        if isinstance(value, type):

            def begin(layer, *args, **kwargs):
                self.used.add(name)
                value.__init__(layer, *args, **kwargs)

            return type(name, (value,), {"__init__": begin})

        @functools.wraps(value)
        def call(*args, **kwargs):
            self.used.add(name)
            return value(*args, **kwargs)

        return call

    def __getattr__(self, name):
        """Return an exercise as it is, for a picture that calls it itself."""
        if name.startswith("_"):
            raise AttributeError(name)
        self.used.add(name)
        self._calling = name
        return self._drawn_only.get(name) or getattr(self.module, name)

    def array(self, name, shape, *args, **settings):
        """Call an exercise that returns one array; refuse anything but numbers of that shape."""
        return self._checked(name, getattr(self, name)(*_copies(args), **settings), shape)

    def forward(self, name, shape, *args, **settings):
        """Call an exercise that returns (out, cache), out of that shape; return both, the cache for its backward."""
        result = getattr(self, name)(*_copies(args), **settings)
        if not isinstance(result, tuple) or len(result) != 2:
            raise Unusable(name, f"returns {_described(result)}, not the pair (out, cache)")
        out, cache = self._checked(name, result[0], shape), result[1]
        if name in self._drawn_only:
            cache = getattr(self.module, name)(*_copies(args), **settings)[1]
        return out, cache

    def arrays(self, name, shapes, *args, **settings):
        """Call an exercise that returns a tuple of arrays of those shapes; where a shape is None, anything is fine."""
        result = getattr(self, name)(*_copies(args), **settings)
        if not isinstance(result, tuple) or len(result) != len(shapes):
            raise Unusable(name, f"returns {_described(result)}, not {len(shapes)} arrays")
        pairs = zip(result, shapes, strict=True)
        return [value if shape is None else self._checked(name, value, shape) for value, shape in pairs]

    def value(self, name, *args, **settings):
        """Call an exercise that returns one plain number."""
        result = getattr(self, name)(*_copies(args), **settings)
        if isinstance(result, bool) or not isinstance(result, (int, float, np.number)):
            raise Unusable(name, f"returns {_described(result)}, not a number")
        return result

    def _checked(self, name, value, shape):
        if not isinstance(value, np.ndarray) or value.shape != shape or value.dtype.kind not in "fiub":
            raise Unusable(name, f"returns {_described(value)}, not numbers of shape {shape}")
        return value.astype(float)

    def blamed(self, error):
        """Return what the exception says of the solution, as an `Unusable`; None where it has no part in it."""
        if isinstance(error, Unusable):
            return error
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.path)
        ]
        exercise = exercise_at(self.path, reversed(lines)) or self._calling
        if exercise is None:
            return None
        if isinstance(error, NotImplementedError):
            return Unusable(exercise, TODO)
        place = f" at {self.path.name}:{lines[-1]}" if lines else ""
        text = str(error).strip().split("\n")[0]
        return Unusable(exercise, f"raises {type(error).__name__}{place}{': ' + text if text else ''}")


def _copies(args):
    """A solution that writes into its arguments harms only copies."""
    return [arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args]


def _described(value):
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return "None" if value is None else f"a {type(value).__name__}"


def exercise_at(path, lines):
    """Return the first of the given lines' public top-level functions or classes of a file, None where none has one."""
    names = source.exercises(path)
    text = source.read(path)
    spans = {name: source._span(text, name) for name in names}
    for line in lines:
        for name, (first, last) in spans.items():
            if first <= line <= last:
                return name
    return None
