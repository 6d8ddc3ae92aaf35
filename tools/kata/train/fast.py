"""The one place where training goes faster than the topics' plain code: same layers, same numbers but for rounding.

Three things, each worth about the same:

1. Images innermost. Topic 12 lays out the columns of one image; small images make small matrix products, and
   their columns are copied in runs of one row of pixels, four numbers long where images are 4 wide. Here a piece
   of the batch is turned to (C, H, W, n) first. Then n pixels at a time are copied, and the product is wide:
   O x K times K x (L * n), as many columns as a core's cache can use.
2. No gradient for the images. Nobody reads what backward would return of the first convolution. Its images are
   large and have few channels: Topic 12's columns, an image at a time, are the faster ones there.
3. Shares. Layers that treat every image (or, in batch norm, every channel) by itself get the batch in shares,
   one for each core, each on a Python thread with one thread in its matrix products. NumPy lets go of
   Python's lock while it computes, and two products side by side beat one product cut in two.

The second product of backward is chosen by what there is less of. Columns of x serve dweight, and their own
gradient must go back through col2im. With stride 1 the gradient of x is itself a convolution of dout with the
turned kernel (Topic 11), and the columns of dout serve both products, with nothing to add up afterwards.

Letters as in Topic 12; n is the number of images in a piece, K = C * kh * kw.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnn import conv2d, im2col, pooling, residual
from cnn.conv2d import conv_output_size
from cnn.foundations import Layer, Parameter, ReLU, as_pair
from kata.topics import REFERENCE
from kata.train.models import leaves

COLUMNS = 2**20  # numbers in one piece's columns, at most
IMAGES = 32  # images in one piece, at most


# --- 1. convolution with the images innermost ---------------------------------------------------


class _Pieces:
    """A batch in pieces of n images, each as (C * kh * kw, L * n) columns in one reused buffer."""

    def __init__(self, x, kernel_size, stride, padding):
        N, C, H, W = x.shape
        (kh, kw), (sh, sw), (ph, pw) = kernel_size, stride, padding
        L = conv_output_size(H, kh, sh, ph), conv_output_size(W, kw, sw, pw)
        n = max(1, min(N, IMAGES, COLUMNS // (C * kh * kw * L[0] * L[1])))
        self.x, self.n = x, n
        padded = np.zeros((C, H + 2 * ph, W + 2 * pw, n), x.dtype)
        self._inside = padded[:, ph : ph + H, pw : pw + W]
        channel, row, column, image = padded.strides
        steps = (channel, row, column, sh * row, sw * column, image)
        self._windows = as_strided(padded, (C, kh, kw, *L, n), steps, writeable=False)
        self._columns = np.empty(self._windows.shape, x.dtype)

    def __iter__(self):
        """Yield (slice of the batch, columns); the columns are overwritten by the next piece's."""
        for start in range(0, len(self.x), self.n):
            piece = slice(start, min(start + self.n, len(self.x)))
            n = piece.stop - start
            columns = self._columns if n == self.n else np.empty((*self._windows.shape[:-1], n), self.x.dtype)
            self._inside[..., :n] = self.x[piece].transpose(1, 2, 3, 0)
            columns[...] = self._windows[..., :n]
            yield piece, columns.reshape(np.prod(columns.shape[:3]), -1)


def _innermost(images):
    """(n, C, H, W) to (C, H * W * n)."""
    return images.transpose(1, 2, 3, 0).reshape(images.shape[1], -1)


def _outermost(rows, shape):
    """(C, H * W * n) to a view (n, C, H, W) of the shape."""
    return rows.reshape(*shape[1:], shape[0]).transpose(3, 0, 1, 2)


def _thinned(x, weight, stride, padding):
    """A 1x1 kernel reads every stride-th pixel: leave the others out at once."""
    if weight.shape[2:] != (1, 1) or padding != (0, 0):
        return x, stride
    return x[:, :, :: stride[0], :: stride[1]], (1, 1)


def forward(x, weight, bias=None, stride=1, padding=0):
    """`conv2d_im2col_forward` of Topic 12."""
    stride, padding = as_pair(stride, "stride"), as_pair(padding, "padding")
    weight = np.asarray(weight, x.dtype)
    cache = (x, weight, bias is not None, stride, padding)
    x, stride = _thinned(x, weight, stride, padding)
    (N, _, H, W), (O, _, kh, kw) = x.shape, weight.shape
    kernels = weight.reshape(O, -1)
    size = conv_output_size(H, kh, stride[0], padding[0]), conv_output_size(W, kw, stride[1], padding[1])
    out = np.empty((N, O, *size), x.dtype)
    for piece, columns in _Pieces(x, (kh, kw), stride, padding):
        rows = kernels @ columns
        if bias is not None:
            rows += np.asarray(bias, x.dtype)[:, np.newaxis]
        out[piece] = _outermost(rows, out[piece].shape)
    return out, cache


def backward(dout, cache):
    """`conv2d_im2col_backward` of Topic 12."""
    x, weight, has_bias, stride, padding = cache
    dbias = dout.sum(axis=(0, 2, 3)) if has_bias else None
    O, C, kh, kw = weight.shape
    if stride == (1, 1) and padding[0] < kh and padding[1] < kw and O <= 2 * C:
        return *_by_columns_of_dout(dout, x, weight, padding), dbias
    return *_by_columns_of_x(dout, x, weight, stride, padding), dbias


def _by_columns_of_dout(dout, x, weight, padding):
    """Stride 1: dx as the convolution of dout with the turned kernel, both gradients from the same columns."""
    O, C, kh, kw = weight.shape
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1).reshape(C, O * kh * kw)
    dturned, dx = np.zeros_like(turned), np.empty(x.shape, x.dtype)
    for piece, columns in _Pieces(dout, (kh, kw), (1, 1), (kh - 1 - padding[0], kw - 1 - padding[1])):
        dx[piece] = _outermost(turned @ columns, x[piece].shape)
        dturned += _innermost(x[piece]) @ columns.T
    return dx, dturned.reshape(C, O, kh, kw)[:, :, ::-1, ::-1].swapaxes(0, 1)


def _by_columns_of_x(dout, x, weight, stride, padding):
    """Any stride: Topic 12's two products, and col2im."""
    kernels = weight.reshape(len(weight), -1)
    dkernels, dx = np.zeros_like(kernels), np.zeros(x.shape, x.dtype)
    read, step = _thinned(x, weight, stride, padding)
    target, _ = _thinned(dx, weight, stride, padding)
    for piece, columns in _Pieces(read, weight.shape[2:], step, padding):
        rows = _innermost(dout[piece])
        dkernels += rows @ columns.T
        target[piece] = _col2im(kernels.T @ rows, target[piece].shape, dout.shape[2:], weight.shape, step, padding)
    return dx, dkernels.reshape(weight.shape)


def _col2im(columns, shape, size, weight_shape, stride, padding):
    """Add (C * kh * kw, L * n) columns back to the pixels their windows read; a view (n, C, H, W)."""
    (n, C, H, W), (kh, kw), (sh, sw), (ph, pw) = shape, weight_shape[2:], stride, padding
    columns = columns.reshape(C, kh, kw, *size, n)
    padded = np.zeros((C, H + 2 * ph, W + 2 * pw, n), columns.dtype)
    for u in range(kh):
        for v in range(kw):
            padded[:, u : u + sh * size[0] : sh, v : v + sw * size[1] : sw] += columns[:, u, v]
    return padded[:, ph : ph + H, pw : pw + W].transpose(3, 0, 1, 2)


class FastConv2d(im2col.Conv2d):
    """The reference's layer on the pair above."""

    def forward(self, x):
        bias = None if self.bias is None else self.bias.value
        out, self._cache = forward(x, self.weight.value, bias, self.stride, self.padding)
        return out

    def backward(self, dout):
        dx, dweight, dbias = backward(dout, self._cache)
        self.weight.grad += dweight
        if self.bias is not None:
            self.bias.grad += dbias
        return dx


# --- 2. the first convolution -------------------------------------------------------------------


class FirstConv2d(im2col.Conv2d):
    """What it reads are the images: its backward returns None."""

    def forward(self, x):
        self._images = x
        return super().forward(x)

    def backward(self, dout):
        weight = self.weight
        O, _, kh, kw = weight.value.shape
        dkernels = np.zeros((O, weight.value[0].size), dout.dtype)
        for image, dimage in zip(self._images, dout, strict=True):
            (columns,) = im2col.im2col(image[np.newaxis], (kh, kw), self.stride, self.padding)
            dkernels += dimage.reshape(O, -1) @ columns.T
        weight.grad += dkernels.reshape(weight.grad.shape)
        if self.bias is not None:
            self.bias.grad += dout.sum(axis=(0, 2, 3))


# --- 3. shares ----------------------------------------------------------------------------------


class Shared:
    """Makes a layer run on shares of the images (axis 0) or of the channels (axis 1), each on its own thread.

    For every forward each share gets a twin of the layer. Of images, a twin has all the parameters, and gradients
    of its own that are added up here. Of channels, it has its own part of every parameter and buffer as views:
    what the twin writes is written in the layer.
    """

    base, pool, shares, axis = Layer, None, 1, 0

    def forward(self, x):
        self._twins = [self._twin(part) for part in _parts(x.shape[self.axis], self.shares)]
        return self._joined(self.base.forward, x)

    def backward(self, dout):
        dx = self._joined(self.base.backward, dout)
        if self.axis == 0:
            for twin in self._twins:
                for parameter, own in zip(self.parameters(), twin.parameters(), strict=True):
                    parameter.grad += own.grad
                    own.grad.fill(0)
        return dx

    def _joined(self, method, array):
        """Run a method of all twins on their shares of the array, side by side; return the results as one array."""
        shares = np.array_split(array, len(self._twins), self.axis)
        results = list(self.pool.map(method, self._twins, shares))
        return None if results[0] is None else np.concatenate(results, self.axis)

    def _twin(self, part):
        twin = self.base.__new__(self.base)
        for name, value in vars(self).items():
            if name != "_twins":
                setattr(twin, name, _own(value) if self.axis == 0 else _mine(value, part))
        return twin


def _parts(length, shares):
    """The slices that np.array_split cuts, none of them empty but for the only one."""
    shares = max(1, min(shares, length))
    ends = [length // shares * (i + 1) + min(i + 1, length % shares) for i in range(shares)]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _own(value):
    """Of a parameter, one of the same value with a gradient of its own; anything else as it is."""
    return _parameter(value.value, np.zeros_like(value.grad)) if isinstance(value, Parameter) else value


def _mine(value, part):
    """Of a parameter or buffer, the part as a view; anything else as it is."""
    if isinstance(value, Parameter):
        return _parameter(value.value[part], value.grad[part])
    return value[part] if isinstance(value, np.ndarray) else value


def _parameter(value, grad):
    made = Parameter.__new__(Parameter)
    made.value, made.grad = value, grad
    return made


# --- all of it ----------------------------------------------------------------------------------

EACH_IMAGE = (conv2d.Conv2d, ReLU, pooling.MaxPool2d, pooling.AvgPool2d)


def quicken(model, threads):
    """Make a network's layers fast, in place; its parameters, state and numbers stay what they are.

    Parameters
    ----------
    model : Layer
        Not trained on yet, or at least between two batches.
    threads : int
        Shares; one leaves them out. The matrix products must have been given one thread each.

    Notes
    -----
    A learner's convolutions stay theirs, and work on shares of the images. Their batch norms stay whole, since
    how they keep their statistics is theirs to choose.
    """
    layers = [layer for _, layer in leaves(model)]
    if _is_reference(im2col):
        first = next((layer for layer in layers if np.ndim(_weight(layer)) > 1), None)
        for layer in layers:
            if type(layer) is im2col.Conv2d:
                layer.__class__ = FirstConv2d if layer is first else FastConv2d
    if threads == 1:
        return
    pool = ThreadPoolExecutor(threads)
    for layer in layers:
        if isinstance(layer, EACH_IMAGE):
            _share(layer, pool, threads, axis=0)
        elif isinstance(layer, residual.BatchNorm2d) and _is_reference(residual):
            _share(layer, pool, threads, axis=1)


def _share(layer, pool, shares, axis):
    base = type(layer)
    layer.__class__ = type(base.__name__, (Shared, base), {"base": base, "pool": pool, "shares": shares, "axis": axis})


def _is_reference(module):
    return REFERENCE in Path(module.__file__).parents


def _weight(layer):
    return getattr(getattr(layer, "weight", None), "value", None)
