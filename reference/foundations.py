"""What Modules 00 and 01 built, given to you: parameters, layers, and the dense network.

Every later topic imports from here (`from cnn.foundations import Layer, as_pair`). Read `Layer` once
before the first topic that asks for a layer: it is the whole protocol.

Letters: N images, F features in, G features out.
"""

import numpy as np

__all__ = ["Flatten", "Layer", "Linear", "Parameter", "ReLU", "Sequential", "as_float", "as_pair"]


def as_pair(value, name="value"):
    """Return an int or a pair of ints as the pair (down, across).

    Parameters
    ----------
    value : int or sequence of two ints
        One number for both axes, or one for each.
    name : str
        What the value is called in the error.

    Returns
    -------
    pair : (int, int)

    Raises
    ------
    ValueError
        If value is neither an int nor two ints; the message has the name and the value.

    Examples
    --------
    >>> as_pair(3)
    (3, 3)
    >>> as_pair((2, 5))
    (2, 5)
    """
    pair = (value, value) if np.isscalar(value) else tuple(value) if np.iterable(value) else ()
    if len(pair) != 2 or not all(_is_int(side) for side in pair):
        raise ValueError(f"{name} is {value!r}: give one int, or two for (height, width).")
    return int(pair[0]), int(pair[1])


def _is_int(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))


def as_float(x):
    """Return x as a floating-point array: float dtypes as they are, integers as float64.

    Parameters
    ----------
    x : array_like

    Returns
    -------
    array : x itself where it is a floating array already, a converted copy otherwise

    Examples
    --------
    >>> as_float(np.ones(2, np.float32)).dtype, as_float([1, 2]).dtype
    (dtype('float32'), dtype('float64'))
    """
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


class Parameter:
    """A trainable array and the gradient that belongs to it.

    Parameters
    ----------
    value : array_like
        The initial value; kept as float32, in an array of its own.

    Attributes
    ----------
    value, grad : float32 arrays of one shape
        `grad` is zeros at first; every `backward` adds to it, nothing clears it but you.

    Examples
    --------
    >>> weight = Parameter([[1, 2, 3]])
    >>> weight.value.dtype, weight.grad
    (dtype('float32'), array([[0., 0., 0.]], dtype=float32))
    """

    def __init__(self, value):
        self.value = np.array(value, dtype=np.float32)
        self.grad = np.zeros_like(self.value)

    def __repr__(self):
        return f"Parameter(shape={self.value.shape}, dtype={self.value.dtype})"


class Layer:
    """One step of a network: `forward` computes, `backward` returns the gradient of its input.

    A subclass assigns its `Parameter`s, sub-layers and buffers (plain arrays such as running
    statistics) as attributes, in order, and writes `forward(x)` and `backward(dout)`. `backward`
    returns dx and adds to each parameter's `.grad`. Attributes whose name begins with an underscore
    are the layer's scratch: they are in no list and no saved state.

    Examples
    --------
    >>> net = Sequential(Linear(3, 2, rng=np.random.default_rng(0)), ReLU())
    >>> [parameter.value.shape for parameter in net.parameters()]
    [(2, 3), (2,)]
    >>> list(net.state_dict())
    ['0.weight', '0.bias']
    >>> net.eval().training
    False
    """

    training = True

    def forward(self, x):
        """Return the output for the input x and keep what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward yet")

    def backward(self, dout):
        """Return the gradient of the last `forward`'s input; add to every parameter's `.grad`."""
        raise NotImplementedError(f"{type(self).__name__} has no backward yet")

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        """Return the layer's own and its sub-layers' parameters as a list, in order of assignment."""
        return [value for _, _, _, value in self._members() if isinstance(value, Parameter)]

    def train(self):
        """Set `.training` to True here and in every sub-layer; return the layer."""
        return self._set_training(True)

    def eval(self):
        """Set `.training` to False here and in every sub-layer; return the layer."""
        return self._set_training(False)

    def state_dict(self):
        """Return {name: copy} of every parameter and buffer; sub-layers' names carry a prefix."""
        return {name: _array(value).copy() for name, _, _, value in self._members()}

    def load_state_dict(self, state):
        """Copy the arrays of a `state_dict` into the layer.

        Raises
        ------
        ValueError
            If names or shapes differ from the layer's own (the message has them); nothing is
            copied then.
        """
        members = {name: _array(value) for name, _, _, value in self._members()}
        if members.keys() != state.keys():
            missing, unknown = sorted(members.keys() - state.keys()), sorted(state.keys() - members.keys())
            raise ValueError(
                f"load_state_dict: missing {missing}, unknown {unknown}. "
                "Load a state_dict of a layer built the same way."
            )
        for name, array in members.items():
            if array.shape != np.shape(state[name]):
                raise ValueError(
                    f"load_state_dict: {name} has shape {np.shape(state[name])}, the layer's own is "
                    f"{array.shape}. Load a state_dict of a layer built the same way."
                )
        for name, array in members.items():
            array[...] = state[name]

    def astype(self, dtype):
        """Convert parameters, gradients and buffers to `dtype` in place; return the layer."""
        for _, owner, attribute, value in self._members():
            if isinstance(value, Parameter):
                value.value, value.grad = value.value.astype(dtype), value.grad.astype(dtype)
            else:
                setattr(owner, attribute, value.astype(dtype))
        return self

    def _members(self, prefix=""):
        """Yield (dotted name, owner, attribute, value) of every parameter and buffer, in order."""
        for attribute, value in vars(self).items():
            if attribute.startswith("_"):
                continue
            if isinstance(value, (Parameter, np.ndarray)):
                yield prefix + attribute, self, attribute, value
            elif isinstance(value, Layer):
                yield from value._members(f"{prefix}{attribute}.")

    def _set_training(self, training):
        self.training = training
        for value in vars(self).values():
            if isinstance(value, Layer):
                value._set_training(training)
        return self


def _array(member):
    return member.value if isinstance(member, Parameter) else member


class Sequential(Layer):
    """Layers one after the other; backward visits them in reverse.

    Parameters
    ----------
    *layers : Layer
        Kept as the attributes "0", "1", ...; `len(net)`, `net[i]` and iteration reach them.

    Examples
    --------
    >>> net = Sequential(ReLU(), Flatten())
    >>> net(np.array([[[-1.0, 2.0]], [[3.0, -4.0]]]))
    array([[0., 2.],
           [3., 0.]])
    """

    def __init__(self, *layers):
        for index, layer in enumerate(layers):
            setattr(self, str(index), layer)

    def __iter__(self):
        return (value for value in vars(self).values() if isinstance(value, Layer))

    def __len__(self):
        return sum(1 for _ in self)

    def __getitem__(self, index):
        return list(self)[index]

    def forward(self, x):
        """Return what the last layer makes of it."""
        for layer in self:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        """Return the gradient of the first layer's input."""
        for layer in reversed(list(self)):
            dout = layer.backward(dout)
        return dout


class ReLU(Layer):
    """max(x, 0), element by element; the gradient passes where x > 0."""

    def forward(self, x):
        """Return max(x, 0), a new array of x's shape and dtype."""
        self._positive = x > 0
        return np.maximum(x, 0)

    def backward(self, dout):
        """Return dout where the input was positive, 0 elsewhere.

        Raises
        ------
        ValueError
            If dout does not have the input's shape; the message has both.
        """
        if np.shape(dout) != self._positive.shape:
            raise ValueError(
                f"ReLU: dout has shape {np.shape(dout)}, the input {self._positive.shape}. "
                "Give the gradient of exactly that output."
            )
        return dout * self._positive


class Flatten(Layer):
    """(N, C, H, W) to (N, C * H * W), the layout a dense layer reads."""

    def forward(self, x):
        """Return a copy of x with all axes but the first merged, in row-major order."""
        self._shape = x.shape
        return x.reshape(len(x), int(np.prod(x.shape[1:]))).copy()

    def backward(self, dout):
        """Return a copy of dout in the input's shape."""
        return dout.reshape(self._shape).copy()


class Linear(Layer):
    """The dense layer: x @ weight.T + bias.

    Parameters
    ----------
    in_features, out_features : int
        F and G.
    bias : bool
        Without it, `.bias` is None.
    rng : numpy.random.Generator or None
        Draws the weight, normal with standard deviation sqrt(2 / F) (He et al. 2015,
        arXiv:1502.01852); None makes a fresh one. The bias starts at 0.

    Attributes
    ----------
    weight : Parameter (G, F)
    bias : Parameter (G,) or None

    Examples
    --------
    >>> Linear(3, 2)(np.zeros((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(self, in_features, out_features, bias=True, rng=None):
        rng = np.random.default_rng() if rng is None else rng
        deviation = np.sqrt(2 / in_features)
        self.weight = Parameter(rng.standard_normal((out_features, in_features)) * deviation)
        self.bias = Parameter(np.zeros(out_features)) if bias else None

    def forward(self, x):
        """Return (N, G) for x (N, F), in the dtype of x.

        Raises
        ------
        ValueError
            If x is not (N, F); the message has x.shape and F.
        """
        x = as_float(x)
        features = self.weight.value.shape[1]
        if x.ndim != 2 or x.shape[1] != features:
            raise ValueError(
                f"Linear: x has shape {x.shape}, the layer reads (N, {features}). "
                "Flatten x first, or build the layer for its features."
            )
        self._x = x
        out = x @ self.weight.value.T.astype(x.dtype, copy=False)
        return out if self.bias is None else out + self.bias.value.astype(x.dtype, copy=False)

    def backward(self, dout):
        """Return dx (N, F); add to the gradients of weight and bias."""
        self.weight.grad += dout.T @ self._x
        if self.bias is not None:
            self.bias.grad += dout.sum(axis=0)
        return dout @ self.weight.value.astype(dout.dtype, copy=False)
