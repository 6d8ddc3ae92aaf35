"""One training step through `cnn` as `train.py` takes it, through its plain layers and through torch, side by side.

Also where the time goes, layer by layer. As in `conv`, each runs in a process of its own and they take turns.
"""

import functools
import importlib.util
import multiprocessing
import statistics
import time

from kata.bench import laps, table
from kata.train import machine

BATCH = 128
MODELS = ("simple_cnn", "resnet20")
PAUSE = 0.05  # seconds for a library's threads to fall asleep before the other's turn
GOAL = 2.0
RATE = 0.05


def _batch():
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.standard_normal((BATCH, 3, 32, 32), np.float32), rng.integers(0, 10, BATCH)


class _Cnn:
    """A step as `train.py` takes it: forward, loss, backward, Nesterov momentum; layers quickened, or plain."""

    def __init__(self, name, threads, plain=False):
        import numpy as np

        from cnn import cifar10
        from kata.train import fast, models

        self.model = models.build(name, np.random.default_rng(0))
        if not plain:
            fast.quicken(self.model, threads)
        self.optimizer = cifar10.SGD(self.model.parameters(), RATE, 0.9, 5e-4, nesterov=True)
        self.images, self.labels = _batch()
        self.flop = BATCH * models.products(self.model)[1]
        self._seconds = None

    def step(self):
        from cnn import cifar10

        self.optimizer.zero_grad()
        _, cache = cifar10.cross_entropy_forward(self.model(self.images), self.labels)
        self.model.backward(cifar10.cross_entropy_backward(cache))
        self.optimizer.step()

    def shares(self):
        """Return [(layer, seconds forward, seconds backward)] of a median step, and the seconds of all of it."""
        from kata.train import models

        named = [(name, layer) for name, layer in models.leaves(self.model) if type(layer).__name__ != "Sequential"]
        clocks = {name: ([], []) for name, _ in named}
        for name, layer in named:
            layer.forward = _timed(layer.forward, clocks[name][0])
            layer.backward = _timed(layer.backward, clocks[name][1])
        whole = laps(self.step)
        for _, layer in named:
            del layer.forward, layer.backward
        rows = [
            (name, type(layer).__name__, *(statistics.median(times[1:]) if times else 0.0 for times in clocks[name]))
            for name, layer in named
        ]
        return rows, statistics.median(whole)


def _timed(function, times):
    def call(*args):
        start = time.perf_counter()
        out = function(*args)
        times.append(time.perf_counter() - start)
        return out

    return call


class _Torch:
    """The same network and the same step in torch."""

    flop = 0

    def __init__(self, name, threads):
        import torch

        torch.set_num_threads(threads)
        self.model = _torch_model(name)
        self.optimizer = torch.optim.SGD(self.model.parameters(), RATE, momentum=0.9, weight_decay=5e-4, nesterov=True)
        self.images, self.labels = map(torch.from_numpy, _batch())

    def step(self):
        import torch

        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.model(self.images), self.labels).backward()
        self.optimizer.step()


def _torch_model(name):
    from torch import nn

    def simple():
        return nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4096, 128), nn.ReLU(), nn.Linear(128, 10),
        )  # fmt: skip

    def convolved(channels, width, stride, kernel=3):
        return nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(width)

    class Block(nn.Module):
        def __init__(self, channels, width, stride):
            super().__init__()
            self.branch = nn.Sequential(*convolved(channels, width, stride), nn.ReLU(), *convolved(width, width, 1))
            same = channels == width and stride == 1
            self.shortcut = nn.Sequential(*(() if same else convolved(channels, width, stride, 1)))

        def forward(self, x):
            return nn.functional.relu(self.branch(x) + self.shortcut(x))

    def resnet20():
        layers, channels = [*convolved(3, 16, 1), nn.ReLU()], 16
        for stage, width in enumerate((16, 32, 64)):
            for block in range(3):
                layers.append(Block(channels, width, 2 if stage and not block else 1))
                channels = width
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    return {"simple_cnn": simple, "resnet20": resnet20}[name]()


def _serve(pipe, library, threads):
    """A library's process: answer "step" with seconds, "shares" and "product" with what they measure."""
    runners = {"cnn": _Cnn, "plain": functools.partial(_Cnn, plain=True), "torch": _Torch}
    ready = {}
    while (request := pipe.recv()) is not None:
        what, name = request
        if what == "product":
            pipe.send(_product_rate())
            continue
        if name not in ready:
            ready[name] = runners[library](name, threads)
        runner = ready[name]
        pipe.send(runner.shares() if what == "shares" else (statistics.median(laps(runner.step)), runner.flop))


def _product_rate(size=1024):
    """The floating-point operations a second of a square matrix product, the most a network can reach."""
    import numpy as np

    a, b = np.random.default_rng(0).standard_normal((2, size, size), dtype=np.float32)
    out = np.empty((size, size), np.float32)
    return 2 * size**3 / statistics.median(laps(lambda: np.matmul(a, b, out=out)))


class _Libraries:
    """The processes, asked one at a time."""

    def __init__(self, names, threads):
        kernels = machine.default_kernels()
        context = multiprocessing.get_context("spawn")
        self._pipes = {}
        for name in names:
            self._pipes[name], theirs = context.Pipe()
            machine.choose(threads, kernels, plain=name != "cnn")
            context.Process(target=_serve, args=(theirs, name, threads), daemon=True).start()

    def ask(self, library, what, model=None):
        self._pipes[library].send((what, model))
        answer = self._pipes[library].recv()
        time.sleep(PAUSE)
        return answer

    def close(self):
        for pipe in self._pipes.values():
            pipe.send(None)


def measure(rounds, threads):
    """Return the report: the steps against torch's, and each model's share by layer."""
    from cnn import cifar10  # noqa: F401 (where it is the learner's own and not finished, that is said here)

    names = ["cnn", "plain", *(["torch"] if importlib.util.find_spec("torch") else [])]
    libraries = _Libraries(names, threads)
    steps = {model: _turns(libraries, names, model, rounds) for model in MODELS}
    product = statistics.median(rate for _, _, rates in steps.values() for rate in rates)
    kernels = machine.default_kernels() or "its own choice of"
    parts = [
        f"one training step, batch {BATCH}, float32, {threads} threads, {kernels} kernels, medians of {rounds} turns; "
        f"a 1024x1024 matrix product reaches {product / 1e9:.0f} GFLOP/s",
        table(
            ("network", "cnn", "plain", "torch", "x torch", "goal", "GFLOP/s", "of product rate"),
            [_row(model, *steps[model][:2], product) for model in MODELS],
        ),
    ]
    if "torch" not in names:
        parts.append("torch is not installed, so there is nothing to compare with: python -m pip install torch")
    parts += [_share_table(model, *libraries.ask("cnn", "shares", model)) for model in MODELS]
    libraries.close()
    return "\n\n".join(parts)


def _turns(libraries, names, model, rounds):
    """Return {library: median seconds of a step}, its operations, and the matrix product's rates in between."""
    seconds, rates = {name: [] for name in names}, []
    for _ in range(rounds):
        for name in names:
            lap, flop = libraries.ask(name, "step", model)
            seconds[name].append(lap)
            if name == "cnn":
                work = flop
        rates.append(libraries.ask("plain", "product"))
    return {name: statistics.median(times) for name, times in seconds.items()}, work, rates


def _row(model, medians, work, product):
    theirs = medians.get("torch")
    rate = work / medians["cnn"]
    versus = [f"{1e3 * theirs:.0f} ms", f"{medians['cnn'] / theirs:.2f}"] if theirs else ["", ""]
    goal = f"{GOAL}" if model == "simple_cnn" else ""
    ours = [f"{1e3 * medians[name]:.0f} ms" for name in ("cnn", "plain")]
    return model, *ours, *versus, goal, f"{rate / 1e9:.0f}", f"{100 * rate / product:.0f} %"


def _share_table(model, rows, whole):
    """The share of the step by layer; layers of one kind together where there are many."""
    if len(rows) > 20:
        kinds = {}
        for _, kind, ahead, back in rows:
            count, a, b = kinds.get(kind, (0, 0.0, 0.0))
            kinds[kind] = count + 1, a + ahead, b + back
        rows = [(f"{count} of", kind, ahead, back) for kind, (count, ahead, back) in kinds.items()]
    lines = [
        (f"{name} {kind}", f"{1e3 * ahead:.1f} ms", f"{1e3 * back:.1f} ms", f"{100 * (ahead + back) / whole:.0f} %")
        for name, kind, ahead, back in rows
    ]
    rest = whole - sum(ahead + back for _, _, ahead, back in rows)
    lines.append(("loss, optimizer, sums of branches", "", f"{1e3 * rest:.1f} ms", f"{100 * rest / whole:.0f} %"))
    return table((model, "forward", "backward", "of the step"), lines)
