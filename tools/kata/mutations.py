"""Generic mutations of an exercise: what a suite must notice whatever the topic.

`prove.py` tries them on the tests that no known mistake turns red. A mutant is the reference file with
lines `apply(globals(), exercise, mutation)` appended, each of which wraps an exercise: functions as they
are, of classes the public methods.
"""

import functools

import numpy as np


def _arrays(values):
    return [value for value in values if isinstance(value, np.ndarray)]


def _on_arrays(change, result):
    """Apply `change` to every array of a result, and to plain numbers; caches and the rest stay."""
    if isinstance(result, np.ndarray):
        return change(result)
    if isinstance(result, tuple) and result and isinstance(result[0], (np.ndarray, float, np.floating)):
        return tuple(_on_arrays(change, part) if isinstance(part, (np.ndarray, float)) else part for part in result)
    if isinstance(result, (int, float, np.number)) and not isinstance(result, bool):
        return type(result)(change(np.asarray(result)))
    return result


def off_by_a_little(function, *args, **kwargs):
    """Every number it returns is 1 too large."""
    return _on_arrays(lambda array: array + array.dtype.type(1), function(*args, **kwargs))


def zero(function, *args, **kwargs):
    """Every number it returns is 0."""
    return _on_arrays(lambda array: array * array.dtype.type(0), function(*args, **kwargs))


def negated(function, *args, **kwargs):
    """Every number it returns has the other sign."""
    return _on_arrays(lambda array: -array, function(*args, **kwargs))


def widened(function, *args, **kwargs):
    """What it returns is float64, whatever came in."""
    return _on_arrays(lambda array: array.astype(np.float64), function(*args, **kwargs))


def narrowed(function, *args, **kwargs):
    """What it returns is float32, whatever came in."""
    return _on_arrays(lambda array: array.astype(np.float32), function(*args, **kwargs))


def flattened(function, *args, **kwargs):
    """The arrays it returns have one axis."""
    return _on_arrays(lambda array: array.ravel(), function(*args, **kwargs))


def returns_nothing(function, *args, **kwargs):
    """It computes and forgets to return."""
    function(*args, **kwargs)


def spoils_its_arguments(function, *args, **kwargs):
    """It adds 1 to every array it was given."""
    result = function(*args, **kwargs)
    for array in _arrays([*args, *kwargs.values()]):
        if array.flags.writeable:
            array += array.dtype.type(1)
    return result


def never_refuses(function, *args, **kwargs):
    """It raises no ValueError."""
    try:
        return function(*args, **kwargs)
    except ValueError:
        return None


def refuses_without_numbers(function, *args, **kwargs):
    """Its ValueErrors say nothing."""
    try:
        return function(*args, **kwargs)
    except ValueError:
        raise ValueError("bad input") from None


def refuses_empty_batches(function, *args, **kwargs):
    """It can't take an array without elements."""
    if any(array.size == 0 for array in _arrays([*args, *kwargs.values()])):
        raise ZeroDivisionError("empty batch")
    return function(*args, **kwargs)


def reads_memory_order(function, *args, **kwargs):
    """It takes every array for a contiguous one."""

    def reread(value):
        return value.ravel(order="K").reshape(value.shape) if isinstance(value, np.ndarray) else value

    return function(*map(reread, args), **{key: reread(value) for key, value in kwargs.items()})


def swaps_pairs(function, *args, **kwargs):
    """It takes (height, width) for (width, height)."""

    def swap(value):
        return value[::-1] if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], int) else value

    return function(*map(swap, args), **{key: swap(value) for key, value in kwargs.items()})


def ignores_pairs(function, *args, **kwargs):
    """It uses the first number of a pair for both axes."""

    def first(value):
        return value[0] if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], int) else value

    return function(*map(first, args), **{key: first(value) for key, value in kwargs.items()})


def ignores_options(function, *args, **kwargs):
    """It behaves as if no keyword had been given."""
    return function(*args)


def loops(function, *args, **kwargs):
    """It walks through every element in Python."""
    for array in _arrays([*args, *kwargs.values()]):
        for _ in range(array.size):
            pass
    return function(*args, **kwargs)


def keeps_only_the_last_call(function, *args, _last=[], **kwargs):  # noqa: B006
    """Whatever it returns beside the output is overwritten by the next call: state in the module."""
    result = function(*args, **kwargs)
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], (tuple, list)):
        _last[:] = [result[1]]
        return result[0], _Late(_last)
    return result


class _Late(tuple):
    """A cache that turns out to be the latest call's when it is used."""

    def __new__(cls, holder):
        made = super().__new__(cls, holder[0])
        made.holder = holder
        return made

    def __iter__(self):
        return iter(self.holder[0])

    def __getitem__(self, index):
        return self.holder[0][index]


def reuses_one_array(function, *args, _last={}, **kwargs):  # noqa: B006
    """It hands out the same memory again and again."""

    def reuse(array):
        kept = _last.setdefault((array.shape, array.dtype), array)
        kept[...] = array
        return kept

    return _on_arrays(reuse, function(*args, **kwargs))


def returns_its_argument(function, *args, **kwargs):
    """Where the result has an argument's shape, that argument's memory holds it."""
    result = function(*args, **kwargs)
    for array in _arrays(args):
        if isinstance(result, np.ndarray) and array.shape == result.shape and array.flags.writeable:
            array[...] = result
            return array
    return result


FUNCTION_MUTATIONS = [
    off_by_a_little,
    zero,
    negated,
    widened,
    narrowed,
    flattened,
    returns_nothing,
    spoils_its_arguments,
    never_refuses,
    refuses_without_numbers,
    refuses_empty_batches,
    reads_memory_order,
    swaps_pairs,
    ignores_pairs,
    ignores_options,
    loops,
    keeps_only_the_last_call,
    reuses_one_array,
    returns_its_argument,
]


# --- layers -------------------------------------------------------------------------------------


def overwrites_gradients(layer_class):
    """Its backward forgets the gradients of earlier backwards."""

    class Mutant(layer_class):
        def backward(self, dout):
            for parameter in self.parameters():
                parameter.grad[...] = 0
            return super().backward(dout)

    return Mutant


def keeps_no_gradients(layer_class):
    """Its backward adds nothing to the parameters' gradients."""

    class Mutant(layer_class):
        def backward(self, dout):
            before = [parameter.grad.copy() for parameter in self.parameters()]
            dx = super().backward(dout)
            for parameter, gradient in zip(self.parameters(), before, strict=True):
                parameter.grad[...] = gradient
            return dx

    return Mutant


def lists_parameters_backwards(layer_class):
    """Its parameters come in the wrong order."""

    class Mutant(layer_class):
        def parameters(self):
            return super().parameters()[::-1]

    return Mutant


def hides_its_parameters(layer_class):
    """It lists no parameters and saves no state."""

    class Mutant(layer_class):
        def parameters(self):
            return []

        def state_dict(self):
            return {}

    return Mutant


def starts_with_ones(layer_class):
    """All its parameters are 1 at first, whatever the generator."""

    class Mutant(layer_class):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            for parameter in self.parameters():
                parameter.value[...] = 1

    return Mutant


def keeps_double_precision(layer_class):
    """Its parameters and gradients are float64 from the start."""

    class Mutant(layer_class):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.astype(np.float64)

    return Mutant


def ignores_its_generator(layer_class):
    """It draws from a generator of its own."""

    class Mutant(layer_class):
        def __init__(self, *args, **kwargs):
            if "rng" in kwargs:
                kwargs["rng"] = None
            super().__init__(*args, **kwargs)

    return Mutant


def ignores_its_options(layer_class):
    """It takes no notice of keyword arguments but rng."""

    class Mutant(layer_class):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **{key: value for key, value in kwargs.items() if key == "rng"})

    return Mutant


def never_trains(layer_class):
    """train() and eval() change nothing."""

    class Mutant(layer_class):
        def eval(self):
            return self

        def train(self):
            return self

    return Mutant


CLASS_MUTATIONS = [
    overwrites_gradients,
    keeps_no_gradients,
    lists_parameters_backwards,
    hides_its_parameters,
    starts_with_ones,
    keeps_double_precision,
    ignores_its_generator,
    ignores_its_options,
    never_trains,
]

METHODS = ("__init__", "forward", "backward")


def names(is_class):
    """Return the names of the mutations that fit a class or a function."""
    methods = [f"{method}:{f.__name__}" for method in METHODS[1:] for f in FUNCTION_MUTATIONS]
    return [m.__name__ for m in CLASS_MUTATIONS] + methods if is_class else [f.__name__ for f in FUNCTION_MUTATIONS]


def apply(module, exercise, name):
    """Replace the exercise in a module's globals by its mutant."""
    original = module[exercise]
    method, _, plain = name.rpartition(":")
    mutation = globals()[plain]
    if mutation in CLASS_MUTATIONS:
        mutant = mutation(original)
        mutant.__name__ = mutant.__qualname__ = original.__name__
    elif method:
        mutant = type(exercise, (original,), {method: _wrapped(mutation, getattr(original, method))})
    else:
        mutant = _wrapped(mutation, original)
    module[exercise] = mutant


def _wrapped(mutation, function):
    @functools.wraps(function)
    def mutant(*args, **kwargs):
        return mutation(function, *args, **kwargs)

    return mutant
