"""Topic 17: CIFAR-10 from scratch, from the bytes of a file to a trained network.

Letters, the same in every topic:
    N images of a batch, C channels, H and W pixels down and across, K classes, M records of a file,
    ph and pw the padding, k the number of a batch, counted from 0.
"""

from pathlib import Path

import numpy as np

from cnn.foundations import Flatten, Linear, ReLU, Sequential, as_float, as_pair
from cnn.im2col import Conv2d, sliding_windows
from cnn.pooling import MaxPool2d


def read_batch(path):
    """Read one file of the binary version of CIFAR-10.

    A record is 3073 bytes: the label, then 1024 bytes of red, 1024 of green, 1024 of blue, each plane row by row.

    Parameters
    ----------
    path : str or Path
        The file; any number of records, one after the other, nothing before or between them.

    Returns
    -------
    images : (M, 3, 32, 32) uint8 array
        images[m, c, h, w] = byte 3073 * m + 1 + 1024 * c + 32 * h + w of the file.
    labels : (M,) int64 array
        labels[m] = byte 3073 * m, 0 to 9.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, its size is no multiple of 3073 (the message has path and size), or a label is
        over 9 (it has path, label and the record's number, counted from 0).

    References
    ----------
    Krizhevsky 2009, Learning multiple layers of features from tiny images;
    https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.bin"
    ...     _ = path.write_bytes(bytes([6] + [255] * 1024 + [0] * 2048 + [9] + [7] * 3072))
    ...     images, labels = read_batch(path)
    >>> images.shape, images[0, :, 0, 0], labels
    ((2, 3, 32, 32), array([255,   0,   0], dtype=uint8), array([6, 9]))
    """
    # TODO 1. Read all bytes of the file into one uint8 array (np.fromfile).
    # TODO 2. Refuse a size of 0 and one that is no multiple of a record's.
    # TODO 3. Make one row a record. The first column is the labels, the rest the images: give both their shape
    #         and dtype.
    # TODO 4. Refuse a label over 9: say which record has it.
    raise NotImplementedError("Topic 17 cifar10: read_batch is still to do")


def load_cifar10(folder, split):
    """Read the training split, five files, or the test split, one.

    Parameters
    ----------
    folder : str or Path
        Holds data_batch_1.bin to data_batch_5.bin and test_batch.bin, or a folder cifar-10-batches-bin that does.
    split : "train" or "test"

    Returns
    -------
    images : (M, 3, 32, 32) uint8 array
        The records of all files of the split, in order of the files: 50000 or 10000 in the original.
    labels : (M,) int64 array

    Raises
    ------
    FileNotFoundError
        If a file of the split is missing; the message has its name and the folder.
    ValueError
        If split is another name (the message has it), or a file is not as `read_batch` wants it.

    Examples
    --------
    >>> load_cifar10("nowhere", "test")
    Traceback (most recent call last):
    FileNotFoundError: load_cifar10: nowhere has no test_batch.bin. Give the folder that holds cifar-10-batches-bin.
    """
    # TODO 1. Name the files of the split; refuse any other split.
    # TODO 2. Look in the folder itself, or in cifar-10-batches-bin where the folder holds that. Refuse a missing
    #         file before reading any.
    # TODO 3. Read them all and put them one after the other.
    raise NotImplementedError("Topic 17 cifar10: load_cifar10 is still to do")


def channel_statistics(images):
    """Measure mean and standard deviation of every channel, over all pixels of all images.

    Parameters
    ----------
    images : (N, C, H, W) uint8 array
        Of the training split: nothing is measured on the test split.

    Returns
    -------
    mean, std : (C,) float32 arrays
        Of the values / 255, so within [0, 1]. std divides by all N * H * W values.

    Raises
    ------
    ValueError
        If images is not 4-D (the message has its shape), not uint8 (it has the dtype), or holds no pixel.

    Examples
    --------
    >>> images = np.zeros((1, 2, 1, 2), np.uint8)
    >>> images[0, 1, 0] = 51, 255
    >>> channel_statistics(images)
    (array([0. , 0.6], dtype=float32), array([0. , 0.4], dtype=float32))
    """
    # TODO 1. Refuse what is not uint8 (N, C, H, W), and an array without a pixel.
    # TODO 2. For each channel the mean, and the root of the mean squared distance from it; three of the four
    #         axes are averaged over.
    # TODO 3. Divide by 255 and return float32. The sums need more room than that: 50000 images have 51 million
    #         values a channel.
    raise NotImplementedError("Topic 17 cifar10: channel_statistics is still to do")


def normalize(images, mean, std):
    """Bring every channel to mean 0 and standard deviation 1.

    Parameters
    ----------
    images : (N, C, H, W) uint8 array
    mean, std : (C,) arrays
        As `channel_statistics` gives them, of the training split, whichever split images is of.

    Returns
    -------
    x : (N, C, H, W) float32 array
        x[n, c, h, w] = (images[n, c, h, w] / 255 - mean[c]) / std[c]. A new array.

    Raises
    ------
    ValueError
        If images is not 4-D or not uint8, mean or std is not (C,) (the message has both shapes), or a std is
        not above 0 (it has std).

    Examples
    --------
    >>> images = np.array([[[[51, 255]]]], np.uint8)
    >>> normalize(images, mean=[0.6], std=[0.4])[0, 0]
    array([[-1.,  1.]], dtype=float32)
    """
    # TODO 1. Check images, and the shapes of mean and std: nothing broadcasts. Refuse a std of 0.
    # TODO 2. Give mean and std the axes that put their C numbers beside the channels of images.
    # TODO 3. Compute in float32 throughout: 50000 images are 0.6 GB in it and 1.2 GB in float64.
    raise NotImplementedError("Topic 17 cifar10: normalize is still to do")


def random_crop(images, padding, rng):
    """Surround every image with zeros and cut a window of its old size from a random place.

    Parameters
    ----------
    images : (N, C, H, W) array
        Bytes or normalised values.
    padding : int or (int, int), pixels
        Zeros on each side, ph rows above and below, pw columns left and right; how far an image can move.
    rng : numpy.random.Generator
        Draws, for every image on its own, a top from 0 to 2 * ph and a left from 0 to 2 * pw, all equally likely.

    Returns
    -------
    cropped : (N, C, H, W) array, dtype of images
        cropped[n, c, h, w] = padded[n, c, top[n] + h, left[n] + w]: all channels of an image move together.
        A new array.

    Raises
    ------
    ValueError
        If images is not 4-D (the message has its shape) or a padding is negative (it has the padding).

    References
    ----------
    He et al. 2015, arXiv:1512.03385, section 4.2.

    Examples
    --------
    >>> images = np.arange(1, 7, dtype=np.uint8).reshape(1, 1, 2, 3)
    >>> random_crop(images, padding=0, rng=np.random.default_rng(0))[0, 0]
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    # TODO 1. Check images and padding; copy images into the middle of zeros of the same dtype. (pad2d would make
    #         floats of bytes.)
    # TODO 2. Draw N tops and N lefts.
    # TODO 3. Every possible crop is a window of the padded image: Topic 12's sliding_windows shows them all.
    #         Pick one window an image by indexing with arrays, without a loop over the images.
    raise NotImplementedError("Topic 17 cifar10: random_crop is still to do")


def random_flip(images, rng):
    """Mirror each image left to right with probability 1/2.

    Parameters
    ----------
    images : (N, C, H, W) array
    rng : numpy.random.Generator
        Decides for every image on its own.

    Returns
    -------
    flipped : (N, C, H, W) array, dtype of images
        images[n], or images[n, :, :, ::-1]. A new array.

    Raises
    ------
    ValueError
        If images is not 4-D; the message has its shape.

    Examples
    --------
    Fifty times the same row: whatever is drawn, some stay plain and some are mirrored.

    >>> images = np.full((50, 1, 1, 3), [1, 2, 3], np.uint8)
    >>> flipped = random_flip(images, np.random.default_rng(0))
    >>> sorted(set(map(tuple, flipped[:, 0, 0].tolist())))
    [(1, 2, 3), (3, 2, 1)]
    """
    # TODO 1. Check images; draw N times yes or no.
    # TODO 2. Choose, image by image but without a loop, between the mirrored and the plain one.
    raise NotImplementedError("Topic 17 cifar10: random_flip is still to do")


def iterate_batches(images, labels, batch_size, rng=None, drop_last=False):
    """Cut a data set into batches, shuffled where a generator is given.

    Parameters
    ----------
    images : (N, ...) array
    labels : (N,) array
        labels[n] belongs to images[n], before and after the shuffle.
    batch_size : int
        Images of every batch but the last, which has what is left.
    rng : numpy.random.Generator or None
        Draws one order of all N, a new one at every call; None keeps the given order.
    drop_last : bool
        Whether to leave out a last batch that is not full.

    Yields
    ------
    images, labels : arrays of batch_size or fewer
        Every image is in exactly one batch. Slices of the arguments may be views.

    Raises
    ------
    ValueError
        If images and labels differ in length, or batch_size is below 1; the message has the numbers. It comes at
        the call or with the first batch.

    Examples
    --------
    >>> [labels.tolist() for _, labels in iterate_batches(np.zeros((5, 1)), np.arange(5), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """
    # TODO 1. Check lengths and batch size.
    # TODO 2. With rng, draw one permutation of all N: the same one orders images and labels.
    # TODO 3. Yield batch after batch; stop early only where drop_last says so.
    raise NotImplementedError("Topic 17 cifar10: iterate_batches is still to do")


def cross_entropy_forward(logits, labels, label_smoothing=0.0):
    """Measure how far the softmax of the logits is from the labels, as the mean over the batch.

    Parameters
    ----------
    logits : (N, K) float array
        Scores, one a class, of any size: 1000 does not overflow.
    labels : (N,) int array
        The right classes, 0 to K - 1.
    label_smoothing : float, 0 to 1
        The share s of the target that is spread over all K classes alike.

    Returns
    -------
    loss : float
        The mean over n of -sum over j of target[n, j] * log p[n, j], where p = softmax(logits) along j and
        target[n, j] = (1 - s) * [j == labels[n]] + s / K. 0.0 for an empty batch.
    cache : opaque
        What `cross_entropy_backward` needs.

    Raises
    ------
    ValueError
        If logits is not 2-D, labels is not (N,) (the message has both shapes) or not of integers, a label is not
        in 0 to K - 1 (it has the label and K), or label_smoothing is not in 0 to 1.

    References
    ----------
    Szegedy et al. 2016, arXiv:1512.00567, section 7 (label smoothing).

    Examples
    --------
    >>> loss, cache = cross_entropy_forward(np.zeros((3, 10)), np.array([0, 7, 9]))
    >>> round(loss, 4), round(float(np.log(10)), 4)
    (2.3026, 2.3026)
    """
    # TODO 1. Make logits a float array; check the shapes, the labels and label_smoothing.
    # TODO 2. Take the row's largest logit away from the row: softmax stays, exp can't overflow.
    # TODO 3. log p = what is left, minus the log of the row's sum of exps.
    # TODO 4. The loss of a row weighs the log p of its label with 1 - s and the mean of all its log p with s. Average
    #         over the rows.
    # TODO 5. Keep for backward: p, the labels, s.
    raise NotImplementedError("Topic 17 cifar10: cross_entropy_forward is still to do")


def cross_entropy_backward(cache):
    """Return the gradient of the loss by the logits: where the network's odds and the target differ.

    Parameters
    ----------
    cache : opaque
        The second result of `cross_entropy_forward`; it can be used again.

    Returns
    -------
    dlogits : (N, K) array, dtype of the logits
        (p - target) / N; every row sums to 0. A new array.

    Examples
    --------
    >>> loss, cache = cross_entropy_forward(np.zeros((1, 4)), np.array([2]))
    >>> cross_entropy_backward(cache)
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """
    # TODO 1. Start from a copy of p: the cache may be asked again.
    # TODO 2. Take away the target: its even share from all classes, the rest from the label's class alone.
    # TODO 3. The loss was a mean: divide by N.
    raise NotImplementedError("Topic 17 cifar10: cross_entropy_backward is still to do")


class SGD:
    """Stochastic gradient descent with momentum, Nesterov's look ahead, and weight decay; as torch.optim.SGD.

    Parameters
    ----------
    parameters : iterable of Parameter
        What `step` changes: a model's `parameters()`.
    lr : float
        The learning rate; may be set anew before any step.
    momentum : float
        How much of the last velocity the next keeps, 0 to below 1.
    weight_decay : float
        Adds weight_decay * value to every gradient.
    nesterov : bool
        Step along the gradient plus momentum times the velocity, instead of the velocity.

    Attributes
    ----------
    parameters : list of Parameter
    lr, momentum, weight_decay, nesterov : as given
    velocities : list of arrays, one a parameter, of its shape and dtype
        Zeros at first. Changed in place by `step`; save and restore them to go on with a training.

    Raises
    ------
    ValueError
        If lr, momentum or weight_decay is negative, momentum is 1 or more, or nesterov is asked for without
        momentum; the message has the number.

    References
    ----------
    Sutskever et al. 2013, On the importance of initialization and momentum in deep learning.

    Examples
    --------
    >>> from cnn.foundations import Parameter
    >>> weight = Parameter([10.0])
    >>> optimizer = SGD([weight], lr=0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     weight.grad += 4
    ...     optimizer.step()
    ...     print(weight.value)
    [9.6]
    [9.]
    """

    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
        # TODO 1. Refuse the numbers the docstring names.
        # TODO 2. Remember everything; make a velocity of zeros for every parameter.
        raise NotImplementedError("Topic 17 cifar10: SGD.__init__ is still to do")

    def step(self):
        """Change every parameter's value in place, by its gradient; the gradients stay as they are.

        g = grad + weight_decay * value; velocity = momentum * velocity + g;
        value -= lr * (g + momentum * velocity with nesterov, velocity without).
        """
        # TODO 1. For every parameter and its velocity: g, then the velocity, then the value, the last two in place.
        raise NotImplementedError("Topic 17 cifar10: SGD.step is still to do")

    def zero_grad(self):
        """Set every parameter's gradient to 0, in place."""
        # TODO 1. Write zeros into every .grad.
        raise NotImplementedError("Topic 17 cifar10: SGD.zero_grad is still to do")


def one_cycle_lr(step, total_steps, peak_lr, warmup=0.25):
    """Return the learning rate of a step: up in a straight line, and down in another.

    Parameters
    ----------
    step : int
        Steps already made, 0 to total_steps.
    total_steps : int
        Of the whole training.
    peak_lr : float
        The highest rate.
    warmup : float, 0 to below 1
        The share of the steps that the way up takes; 0 starts at the peak.

    Returns
    -------
    lr : float
        0 at step 0, peak_lr at warmup * total_steps, 0 at total_steps; straight between them.

    Raises
    ------
    ValueError
        If total_steps is below 1, step is not in 0 to total_steps or warmup not in 0 to below 1; the message has
        the numbers.

    References
    ----------
    Smith and Topin 2018, Super-convergence, arXiv:1708.07120.

    Examples
    --------
    >>> [one_cycle_lr(step, total_steps=8, peak_lr=0.6) for step in (0, 1, 2, 5, 8)]
    [0.0, 0.3, 0.6, 0.3, 0.0]
    """
    # TODO 1. Refuse the numbers the docstring names.
    # TODO 2. Find the step of the peak. Before it the rate is the share of the way up that is made; from it on, the
    #         share of the way down that is left.
    raise NotImplementedError("Topic 17 cifar10: one_cycle_lr is still to do")


def simple_cnn(num_classes=10, rng=None):
    """Build the network of the milestone: two convolutions with pooling, two dense layers.

    Parameters
    ----------
    num_classes : int
        K.
    rng : numpy.random.Generator or None
        Draws the four weights, in order; None makes a fresh one.

    Returns
    -------
    net : Sequential
        Conv2d 3 to 32, ReLU, MaxPool2d, Conv2d 32 to 64, ReLU, MaxPool2d, Flatten, Linear 4096 to 128, ReLU,
        Linear 128 to K; kernels 3x3 with padding 1, pooling 2x2. Maps (N, 3, 32, 32) to (N, K). The layers draw
        their weights as ever. A last weight made smaller (here by 0.1) is allowed: the first loss is near ln K then.

    Examples
    --------
    >>> net = simple_cnn()
    >>> net(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 10)
    >>> sum(parameter.value.size for parameter in net.parameters())
    545098
    """
    # TODO 1. Stack the ten layers in a Sequential, with Topic 12's Conv2d; hand one rng to the four that draw.
    #         Follow the shape: where do the 4096 numbers come from?
    # TODO 2. If you like, multiply the last weight's value by 0.1: logits near 0 give every class the same odds.
    raise NotImplementedError("Topic 17 cifar10: simple_cnn is still to do")


def train_epoch(model, optimizer, images, labels, batch_size=128, rng=None, label_smoothing=0.0, augment=None, lr=None):
    """Show the model every image once, and take one step of the optimizer a batch.

    Parameters
    ----------
    model : Layer
        Set to training mode; maps a batch of images to logits (N, K).
    optimizer : SGD
        Of the model's parameters. Whatever their gradients hold at the start is cleared before it can be used.
    images : (N, C, H, W) array
        Normalised float images; or bytes, if augment normalises them.
    labels : (N,) int array
    batch_size : int
        The last batch has what is left.
    rng : numpy.random.Generator or None
        Draws the order of the images, then whatever augment draws; None keeps the order.
    label_smoothing : float
        As in `cross_entropy_forward`.
    augment : function (images, rng) -> images, or None
        Applied to the images of every batch.
    lr : function (k) -> float, or None
        The learning rate of batch k, k from 0, set as the optimizer's before its step; None leaves it alone.

    Returns
    -------
    loss : float
        Mean over all N images of the loss each had in its batch, before that batch's step.

    Raises
    ------
    ValueError
        If there are no images, images and labels differ in length, batch_size is below 1, or what would reach
        the model is not floating-point (the message has the dtype).

    Examples
    --------
    >>> net = Sequential(Flatten(), Linear(2, 3, rng=np.random.default_rng(0)))
    >>> x, y = np.array([[[[1.0, 0.0]]], [[[0.0, 1.0]]]], np.float32), np.array([2, 1])
    >>> optimizer = SGD(net.parameters(), lr=0.5)
    >>> first, second = train_epoch(net, optimizer, x, y), train_epoch(net, optimizer, x, y)
    >>> second < first
    True
    """
    # TODO 1. Refuse an empty data set; set the model to training mode.
    # TODO 2. For batch after batch: augment, refuse what is not float, set the learning rate.
    # TODO 3. Clear the gradients; forward, loss, backward, step.
    # TODO 4. Sum the losses of images, not of batches: the last batch may be short.
    raise NotImplementedError("Topic 17 cifar10: train_epoch is still to do")


def evaluate(model, images, labels, batch_size=256):
    """Return the share of the images that the model puts into their class.

    Parameters
    ----------
    model : Layer
        Evaluated in eval mode, and left in the mode it had.
    images : (N, C, H, W) float array
        Normalised.
    labels : (N,) int array
    batch_size : int
        How many at once; it changes the memory needed, not the result.

    Returns
    -------
    accuracy : float, 0 to 1
        An image counts where the largest of its K logits is its label's; of equal ones the first is taken for the
        largest, as argmax does.

    Raises
    ------
    ValueError
        If there are no images, images and labels differ in length, batch_size is below 1, or the images are not
        floating-point (the message has the dtype).

    Examples
    --------
    >>> x = np.array([[[[1.0, 3.0]]], [[[7.0, 5.0]]]], np.float32)
    >>> evaluate(Flatten(), x, np.array([1, 1]))
    0.5
    """
    # TODO 1. Refuse an empty data set and images that are not float.
    # TODO 2. Remember the model's mode; set it to eval.
    # TODO 3. Count the right answers over all batches.
    # TODO 4. Put the mode back, also where something went wrong in between; divide by all N.
    raise NotImplementedError("Topic 17 cifar10: evaluate is still to do")


def fit(
    model,
    train,
    test=None,
    epochs=1,
    batch_size=128,
    peak_lr=0.1,
    momentum=0.9,
    weight_decay=5e-4,
    rng=None,
    label_smoothing=0.0,
    augment=None,
):
    """Train a model for some epochs, with SGD, Nesterov momentum and one cycle of the learning rate.

    Parameters
    ----------
    model : Layer
        Trained in place.
    train, test : (images, labels), and the same or None
        Images normalised, float; test is measured after every epoch and never learned from.
    epochs, batch_size : int
        Passes over the images; images a step.
    peak_lr : float
        Batch k of all epochs, counted through from 0, has the rate one_cycle_lr(k, epochs * batches, peak_lr).
    momentum, weight_decay : float
        As in `SGD`; momentum 0 is plain gradient descent.
    rng : numpy.random.Generator or None
        Draws all that is drawn; None keeps the order of the images.
    label_smoothing, augment :
        As in `train_epoch`.

    Returns
    -------
    history : list of dict, one an epoch
        "epoch": 0, 1, ...; "loss": what `train_epoch` returned; "accuracy": on test, None without it.

    Raises
    ------
    ValueError
        If epochs is below 1 (the message has it), or as `train_epoch` and `evaluate` do.

    Examples
    --------
    >>> net = Sequential(Flatten(), Linear(2, 3, rng=np.random.default_rng(0)))
    >>> train = np.array([[[[1.0, 0.0]]], [[[0.0, 1.0]]]], np.float32), np.array([2, 1])
    >>> history = fit(net, train, test=train, epochs=20, peak_lr=0.5)
    >>> len(history), history[-1]["epoch"], history[-1]["accuracy"]
    (20, 19, 1.0)
    """
    # TODO 1. Refuse epochs below 1 and an empty data set. How many batches has an epoch, the short one included?
    # TODO 2. Make the optimizer, with Nesterov wherever there is momentum.
    # TODO 3. For every epoch: train_epoch with a learning rate that counts on from the epochs before, then evaluate.
    # TODO 4. Note epoch, loss and accuracy.
    raise NotImplementedError("Topic 17 cifar10: fit is still to do")
