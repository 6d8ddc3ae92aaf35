# Made from reference/foundations.py by tools/generate.py, so that editors know cnn.foundations.
"""What Modules 00 and 01 built, given to you: parameters, layers, and the dense network.

Every later topic imports from here (`from cnn.foundations import Layer, as_pair`). Read `Layer` once
before the first topic that asks for a layer: it is the whole protocol.

Letters: N images, F features in, G features out.
"""
import numpy as np

def as_pair(value, name='value'):
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
    ...

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
    ...

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
        ...

    def __repr__(self):
        ...

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

    def forward(self, x):
        """Return the output for the input x and keep what `backward` needs."""
        ...

    def backward(self, dout):
        """Return the gradient of the last `forward`'s input; add to every parameter's `.grad`."""
        ...

    def __call__(self, x):
        ...

    def parameters(self):
        """Return the layer's own and its sub-layers' parameters as a list, in order of assignment."""
        ...

    def train(self):
        """Set `.training` to True here and in every sub-layer; return the layer."""
        ...

    def eval(self):
        """Set `.training` to False here and in every sub-layer; return the layer."""
        ...

    def state_dict(self):
        """Return {name: copy} of every parameter and buffer; sub-layers' names carry a prefix."""
        ...

    def load_state_dict(self, state):
        """Copy the arrays of a `state_dict` into the layer.

        Raises
        ------
        ValueError
            If names or shapes differ from the layer's own (the message has them); nothing is
            copied then.
        """
        ...

    def astype(self, dtype):
        """Convert parameters, gradients and buffers to `dtype` in place; return the layer."""
        ...

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
        ...

    def __iter__(self):
        ...

    def __len__(self):
        ...

    def __getitem__(self, index):
        ...

    def forward(self, x):
        """Return what the last layer makes of it."""
        ...

    def backward(self, dout):
        """Return the gradient of the first layer's input."""
        ...

class ReLU(Layer):
    """max(x, 0), element by element; the gradient passes where x > 0."""

    def forward(self, x):
        """Return max(x, 0), a new array of x's shape and dtype."""
        ...

    def backward(self, dout):
        """Return dout where the input was positive, 0 elsewhere.

        Raises
        ------
        ValueError
            If dout does not have the input's shape; the message has both.
        """
        ...

class Flatten(Layer):
    """(N, C, H, W) to (N, C * H * W), the layout a dense layer reads."""

    def forward(self, x):
        """Return a copy of x with all axes but the first merged, in row-major order."""
        ...

    def backward(self, dout):
        """Return a copy of dout in the input's shape."""
        ...

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
        ...

    def forward(self, x):
        """Return (N, G) for x (N, F), in the dtype of x.

        Raises
        ------
        ValueError
            If x is not (N, F); the message has x.shape and F.
        """
        ...

    def backward(self, dout):
        """Return dx (N, F); add to the gradients of weight and bias."""
        ...
