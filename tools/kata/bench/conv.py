"""How fast the convolutions of `cnn` are: against torch, the machine's matrix product, and the naive loops.

Each library runs in a process of its own and they take turns: in one process the idle threads of the
library that has just finished go on spinning for a while and slow the other.
"""

import importlib
import importlib.util
import multiprocessing
import statistics
import time
from typing import NamedTuple

from kata.bench import laps, table
from kata.errors import KataError

BATCH = 64
PAUSE = 0.05  # seconds for a library's threads to fall asleep before the other's turn


class Case(NamedTuple):
    """One layer: channels in and out, side of the square image, kernel, stride, padding, groups."""

    C: int
    O: int
    side: int
    k: int = 3
    stride: int = 1
    padding: int = 1
    groups: int = 1

    def __str__(self):
        kind = "depthwise " if self.groups > 1 else ""
        return f"{kind}{self.k}x{self.k} {self.C}-{self.O}, {self.side}x{self.side}" + f" stride {self.stride}" * (
            self.stride > 1
        )

    @property
    def flop(self):
        """Floating-point operations of the forward pass of the whole batch; twice as many go back."""
        out = (self.side + 2 * self.padding - self.k) // self.stride + 1
        return 2 * BATCH * self.O * out * out * (self.C // self.groups) * self.k * self.k


MAIN = [
    Case(32, 32, 32),
    Case(32, 64, 32),
    Case(64, 64, 16),
    Case(128, 128, 16),
    Case(128, 128, 8),
    Case(256, 256, 8),
]
OTHERS = [Case(3, 32, 32), Case(64, 128, 32, stride=2), Case(128, 256, 16, k=1, padding=0)]
DEPTHWISE = [Case(64, 64, 32, groups=64), Case(256, 256, 8, groups=256)]


def _arrays(case):
    import numpy as np

    rng = np.random.default_rng(0)
    out = (case.side + 2 * case.padding - case.k) // case.stride + 1
    shapes = [
        (BATCH, case.C, case.side, case.side),
        (case.O, case.C // case.groups, case.k, case.k),
        (case.O,),
        (BATCH, case.O, out, out),
    ]
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def _cnn_calls(case):
    """Forward alone, and forward with backward, through `cnn`."""
    x, weight, bias, dout = _arrays(case)
    if case.groups > 1:
        from cnn.modern_conv import depthwise_conv2d_backward as backward
        from cnn.modern_conv import depthwise_conv2d_forward as forward
    else:
        from cnn.im2col import conv2d_im2col_backward as backward
        from cnn.im2col import conv2d_im2col_forward as forward

    def ahead():
        return forward(x, weight, bias, case.stride, case.padding)

    return ahead, lambda: backward(dout, ahead()[1])


def _torch_calls(case):
    """The same two through torch."""
    import torch

    *inputs, dout = map(torch.from_numpy, _arrays(case))
    for tensor in inputs:
        tensor.requires_grad_()

    def convolve():
        return torch.nn.functional.conv2d(*inputs, case.stride, case.padding, groups=case.groups)

    def ahead():
        with torch.no_grad():
            convolve()

    def both():
        for tensor in inputs:
            tensor.grad = None
        convolve().backward(dout)

    return ahead, both


def _product_calls(size=1024):
    """A square matrix product, the most any convolution here can reach."""
    import numpy as np

    a, b = np.random.default_rng(0).standard_normal((2, size, size), dtype=np.float32)
    out = np.empty((size, size), np.float32)
    return (lambda: np.matmul(a, b, out=out),)


def _serve(pipe, library, threads):
    """A library's process: time the case it is sent, answer with seconds, until it is sent None."""
    if library == "torch":
        import torch

        torch.set_num_threads(threads)
    make = {"torch": _torch_calls, "cnn": _cnn_calls}[library]
    calls, known = (), None
    while (case := pipe.recv()) is not None:
        if case != known:
            calls, known = (_product_calls() if case == "product" else make(case)), case
        pipe.send([statistics.median(laps(call)) for call in calls])


def _turns(libraries, cases, rounds, threads):
    """Return {library: {case: [median seconds of each call]}}, the libraries taking turns."""
    context = multiprocessing.get_context("spawn")
    pipes, seen = {}, {}
    for library in libraries:
        pipes[library], theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, library, threads), daemon=True).start()
        seen[library] = {}
    for case in cases:
        for library in [*libraries] * rounds:
            pipes[library].send(case)
            seen[library].setdefault(case, []).append(pipes[library].recv())
            time.sleep(PAUSE)
    pipes[libraries[0]].send("product")
    (seconds,) = pipes[libraries[0]].recv()
    for pipe in pipes.values():
        pipe.send(None)
    medians = {
        library: {
            case: [statistics.median(values) for values in zip(*turns, strict=True)] for case, turns in of.items()
        }
        for library, of in seen.items()
    }
    return medians, 2 * 1024**3 / seconds


def _naive_ratio(rounds):
    """How many times longer the loops of Topic 11 take than the im2col pair, on a small batch."""
    import numpy as np

    from cnn import conv2d, im2col
    from kata.bench import interleaved
    from kata.loading import load
    from kata.topics import REFERENCE

    if (REFERENCE / "conv2d.py").exists():
        conv2d = load(REFERENCE / "conv2d.py")  # a learner's own may have no loops

    rng = np.random.default_rng(0)
    x, weight, dout = (rng.standard_normal(s) for s in ((2, 8, 16, 16), (8, 8, 3, 3), (2, 8, 16, 16)))
    calls = {
        "naive": lambda: conv2d.conv2d_backward(dout, conv2d.conv2d_forward(x, weight, None, 1, 1)[1]),
        "im2col": lambda: im2col.conv2d_im2col_backward(dout, im2col.conv2d_im2col_forward(x, weight, None, 1, 1)[1]),
    }
    seconds = interleaved(calls, rounds)
    return seconds["naive"] / seconds["im2col"]


def measure(rounds, threads):
    """Return the report: a table of layers, the geometric means, and the naive loops for comparison."""
    from cnn import im2col  # noqa: F401 (where it is the learner's own and not finished, that is said here)

    has_torch = importlib.util.find_spec("torch") is not None
    cases = [*MAIN, *OTHERS, *(DEPTHWISE if _has_depthwise() else [])]
    medians, product = _turns(["cnn", "torch"] if has_torch else ["cnn"], cases, rounds, threads)
    rows = [_row(case, medians, product) for case in cases]
    lines = [
        f"batch {BATCH}, float32, {threads} threads, medians of {rounds} turns; "
        f"a 1024x1024 matrix product reaches {product / 1e9:.0f} GFLOP/s",
        "",
        table(("layer", "forward", "x torch", "both", "x torch", "of product rate"), rows),
        "",
    ]
    if has_torch:
        means = [_mean_ratio(medians, index) for index in (0, 1)]
        lines.append(
            f"geometric mean of the first {len(MAIN)}: forward {means[0]:.2f} times torch, "
            f"forward and backward {means[1]:.2f} times torch (goal 3.0)"
        )
    else:
        lines.append("torch is not installed, so there is nothing to compare with: python -m pip install torch")
    lines.append(f"the loops of Topic 11 take {_naive_ratio(rounds):.3g} times as long as im2col (8-8 channels, 16x16)")
    return "\n".join(lines)


def _has_depthwise():
    """Tell whether `cnn` has Topic 15: in a student's repository it has when the learner does."""
    try:
        importlib.import_module("cnn.modern_conv")
    except KataError:
        return False
    return True


def _row(case, medians, product):
    ahead, both = medians["cnn"][case]
    theirs = medians.get("torch", {}).get(case)
    ratios = [f"{ahead / theirs[0]:.2f}", f"{both / theirs[1]:.2f}"] if theirs else ["", ""]
    rate = 3 * case.flop / both / product
    return str(case), f"{1e3 * ahead:.1f} ms", ratios[0], f"{1e3 * both:.1f} ms", ratios[1], f"{100 * rate:.0f} %"


def _mean_ratio(medians, index):
    ratios = [medians["cnn"][case][index] / medians["torch"][case][index] for case in MAIN]
    return statistics.geometric_mean(ratios)
