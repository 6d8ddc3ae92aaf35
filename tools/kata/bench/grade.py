"""How fast a class is graded: submissions a core-minute at several sizes of class, and how flat that is."""

import contextlib
import os
import random
import re
import tempfile
import time
from pathlib import Path

from kata import source
from kata.bench import table
from kata.grading import places
from kata.grading.session import Session
from kata.grading.submissions import Submission
from kata.mistakes import load_bank, twisted_source
from kata.runner import TEST_SECONDS

SIZES = (30, 100, 300)
FLAT = 1.25  # submissions a core-minute of the fastest size against the slowest's


def generate(topic, count):
    """Return texts of solutions, all different: right, partly done, mistaken and broken ones in turn."""
    rng = random.Random(topic.number)
    names = list(source.exercises(topic.reference))
    reference, starter, mistakes = source.read(topic.reference), source.starter(topic), load_bank(topic).mistakes
    makers = [
        lambda: reference,
        lambda: _begun(reference, starter, names[: rng.randrange(1, len(names))]),
        lambda: twisted_source(topic, rng.choice(mistakes)),
        lambda: _broken(reference, rng),
    ]
    return [f"{makers[number % len(makers)]()}\n# submission {number}\n" for number in range(count)]


def _begun(reference, starter, names):
    """The starter with some exercises done, as they are in the reference, and its private helpers."""
    text = starter
    for name in names:
        text = text.replace(source.definition(text, name), source.definition(reference, name))
    helpers = re.findall(r"^def (_\w+)", reference, re.MULTILINE)
    return "\n\n".join([text, *(source.definition(reference, name) for name in helpers)])


def _broken(reference, rng):
    """The reference with something that no test survives."""
    return (
        rng.choice(["def (:\n", "import no_such_module\n", "import os\nos._exit(0)\n", "raise SystemExit\n"])
        + reference
    )


def measure(topic, jobs, sizes=SIZES):
    """Return the report on grading generated classes of several sizes on this machine."""
    rows, rates = [], []
    for size in sizes:
        seconds, cpu = _timed(topic, generate(topic, size), jobs)
        rates.append(60 * size / cpu)
        rows.append((size, f"{seconds:.0f} s", f"{cpu:.0f} s", f"{rates[-1]:.1f}", f"{cpu / size:.2f} s"))
    spread = max(rates) / min(rates)
    verdict = "flat" if spread <= FLAT else "not flat"
    return "\n".join(
        [
            f"{topic}, {jobs} jobs: right, partly done, mistaken and broken submissions in turn",
            "",
            table(("submissions", "wall", "CPU", "a core-minute", "CPU each"), rows),
            "",
            f"the fastest size grades {spread:.2f} times as many a core-minute as the slowest: {verdict}",
        ]
    )


def _timed(topic, texts, jobs):
    """Return wall and CPU seconds, those of all the processes, of grading some texts."""
    submissions = [Submission(f"{n:04}", Path(f"{n:04}"), {topic: text.encode()}) for n, text in enumerate(texts)]
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as out:
        session = Session(submissions, [topic], out, TEST_SECONDS)
        start, before = time.perf_counter(), sum(os.times()[:4])
        with contextlib.closing(places.on_this_machine(session.waiting(), session.course, jobs)) as results:
            for key, result in results:
                session.take(key, result)
        graded = session.finish(partial=True)
        if any(one.problem for one in graded):
            raise RuntimeError("not all submissions could be graded")
        wall, cpu = time.perf_counter() - start, sum(os.times()[:4]) - before
        return wall, cpu if os.name == "posix" else wall * jobs  # elsewhere children's time is not told
