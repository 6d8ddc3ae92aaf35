"""The training loop: `cnn`'s parts, batch by batch, in a state that can be saved and restored between any two.

`train_epoch` of Topic 17 is the same loop for one epoch in one go; this one can stop after any batch.
"""

import time

import numpy as np

from cnn import cifar10
from kata.errors import KataError
from kata.train import fast, models

CHUNK = 1000  # images normalised at once for evaluation


class Training:
    """A model on its way: parameters, velocities, generator, and how far it is.

    Attributes
    ----------
    epoch, step : int
        Epochs finished, and batches done of the next one.
    history : list of dict
        One an epoch: epoch (from 1), loss, train (accuracy while learning), test or holdout (accuracy after).
    seconds : list of [training, measuring]
        The time each epoch took, all sittings together.
    """

    def __init__(self, settings, data):
        self.settings, self.data = settings, data
        init, self.rng = np.random.default_rng(settings.seed).spawn(2)
        self.model = models.build(settings.model, init)
        if not settings.plain:
            fast.quicken(self.model, settings.threads)
        s = settings
        self.optimizer = cifar10.SGD(self.model.parameters(), s.lr, s.momentum, s.weight_decay, nesterov=s.momentum > 0)
        self.batches = -(-len(data.images) // s.batch_size)
        self.epoch, self.history, self.seconds = 0, [], []
        self._begin_epoch()

    def _begin_epoch(self):
        self.step, self.loss_sum, self.right, self.seen = 0, 0.0, 0, 0
        self.spent = [0.0, 0.0]
        self._order_state = self.rng.bit_generator.state

    @property
    def finished(self):
        return self.epoch == self.settings.epochs

    def train_batches(self):
        """Train on what is left of the epoch; yield after every batch, when everything can be saved."""
        for images, labels in self._remaining():
            start = time.perf_counter()
            self._train(images, labels)
            self.step += 1
            self.spent[0] += time.perf_counter() - start
            yield

    def _remaining(self):
        """Yield the batches not yet done, in the order that was drawn when the epoch began."""
        now = self.rng.bit_generator.state
        self.rng.bit_generator.state = self._order_state
        indices = np.arange(len(self.data.images))
        batches = list(cifar10.iterate_batches(indices, self.data.labels, self.settings.batch_size, self.rng))
        if self.step:
            self.rng.bit_generator.state = now  # where it stood after the batches that are done
        for chosen, labels in batches[self.step :]:
            yield self.data.images[chosen], labels

    def _train(self, images, labels):
        """One step, as Topic 17 takes it."""
        x = self._augmented(images)
        self.optimizer.lr = self.lr(self.epoch * self.batches + self.step)
        self.optimizer.zero_grad()
        self.model.train()
        logits = self.model(x)
        loss, cache = cifar10.cross_entropy_forward(logits, labels, self.settings.label_smoothing)
        if not np.isfinite(loss):
            raise KataError(
                f"the loss is {loss} in batch {self.step + 1} of epoch {self.epoch + 1}: the training has run away. "
                f"Train anew with a --lr below {self.settings.lr:g}."
            )
        self.model.backward(cifar10.cross_entropy_backward(cache))
        self.optimizer.step()
        self.loss_sum += loss * len(labels)
        self.right += int(np.count_nonzero(logits.argmax(axis=1) == labels))
        self.seen += len(labels)

    def _augmented(self, images):
        if self.settings.augment:
            images = cifar10.random_flip(cifar10.random_crop(images, self.settings.padding, self.rng), self.rng)
        return self.data.normalized(images)

    def lr(self, step):
        """Return the learning rate of a step, counted from the training's first."""
        s = self.settings
        return cifar10.one_cycle_lr(step, s.epochs * self.batches, s.lr, s.warmup)

    def measure(self, stop=None):
        """Return the accuracy on the held-out images; None if `stop.wanted` came true on the way."""
        right = 0.0
        for images, labels in cifar10.iterate_batches(self.data.held_images, self.data.held_labels, CHUNK):
            start = time.perf_counter()
            right += cifar10.evaluate(self.model, self.data.normalized(images), labels, 250) * len(labels)
            self.spent[1] += time.perf_counter() - start
            if stop and stop.wanted:
                return None
        return round(right) / len(self.data.held_labels)

    def finish_epoch(self, accuracy):
        """Note the epoch's figures and begin the next."""
        self.epoch += 1
        figures = {"loss": self.loss_sum / self.seen, "train": self.right / self.seen, self.data.held: accuracy}
        self.history.append({"data": self.data.name, "epoch": self.epoch, **figures})
        self.seconds.append(self.spent)
        self._begin_epoch()

    # --- saved and restored -----------------------------------------------------------------------

    def record(self):
        """Return all that is not an array, as plain data."""
        return {
            "data": self.data.fingerprint,
            "epoch": self.epoch,
            "step": self.step,
            "loss_sum": self.loss_sum,
            "right": self.right,
            "seen": self.seen,
            "spent": self.spent,
            "history": self.history,
            "seconds": self.seconds,
            "order_state": self._order_state,
            "state": self.rng.bit_generator.state,
        }

    def arrays(self):
        """Return parameters, buffers and velocities by name."""
        state = {f"model/{name}": array for name, array in self.model.state_dict().items()}
        return state | {f"velocity/{i}": array for i, array in enumerate(self.optimizer.velocities)}

    def restore(self, record, arrays):
        """Go back to what `record` and `arrays` returned.

        Raises
        ------
        KataError
            If they belong to other images or another network; nothing is changed then.
        """
        if record["data"] != self.data.fingerprint:
            raise KataError(
                "the images are not those the checkpoint was trained on. Give the same --data, or train anew with "
                "another --out."
            )
        mine, theirs = _shapes(self.arrays()), _shapes(arrays)
        if mine != theirs:
            name = sorted(set(mine.items()) ^ set(theirs.items()))[0][0]
            raise KataError(
                f"the checkpoint is of another network: {name} has shape {theirs.get(name)} there and "
                f"{mine.get(name)} here. Train anew with another --out."
            )
        prefix = "model/"
        self.model.load_state_dict({n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})
        for i, velocity in enumerate(self.optimizer.velocities):
            velocity[...] = arrays[f"velocity/{i}"]
        for name in ("epoch", "step", "loss_sum", "right", "seen", "spent", "history", "seconds"):
            setattr(self, name, record[name])
        self._order_state = record["order_state"]
        self.rng.bit_generator.state = record["state"]


def _shapes(arrays):
    return {name: array.shape for name, array in arrays.items()}
