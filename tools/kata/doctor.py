"""What doctor.py looks at, a function a thing: what was found and, where it is odd, the remedy.

Only the standard library is imported here: the doctor must get up where NumPy or click can't.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NARROW = 60  # columns; below, sentences fold word by word
CIFAR = 360  # MB: CIFAR-10's archive and what it unpacks to
SCRATCH = 20  # MB the tests may need for temporary files
SLOW = 10  # seconds for one exercise's tests, once everything was read before
EVENT = 5  # seconds within which a saved file must have been noticed
OLD_KERNELS = ("Prescott", "Nehalem", "generic", "Unknown")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Line:
    """What was found of one thing; with a remedy it is odd, and `stops` says that a learner could not go on."""

    what: str
    found: str
    remedy: str = ""
    stops: bool = False

    @property
    def state(self):
        return "stop" if self.stops else "odd" if self.remedy else "ok"


def main(arguments=None):
    """Print all lines and leave: status 1 where something would stop a learner."""
    description = "Look at the set-up. Exit status: 0 a learner can work, 1 something stops them."
    argparse.ArgumentParser(prog="doctor.py", description=description).parse_args(arguments)
    sys.stdout.reconfigure(errors="backslashreplace")
    stopped, odd = 0, 0
    for look in CHECKS:
        for line in look():
            print(shown(line), flush=True)
            stopped += line.state == "stop"
            odd += line.state == "odd"
    print(_summary(stopped, odd))
    sys.exit(1 if stopped else 0)


def shown(line):
    """Return a line as it is printed: state, thing, what was found; the remedy below."""
    room = max(min(shutil.get_terminal_size().columns, 100), 50) - 19
    found = textwrap.wrap(line.found, room, break_long_words=False, break_on_hyphens=False) or [""]
    remedy = textwrap.wrap(line.remedy, room, break_long_words=False, break_on_hyphens=False)
    return f"{line.state:<6}{line.what:<13}" + f"\n{'':19}".join([*found, *remedy])


def _summary(stopped, odd):
    if stopped:
        return f"{stopped} thing{'s' * (stopped > 1)} would stop you. Begin with the first."
    return "you can work." + (
        f" {odd} thing{'s are' if odd > 1 else ' is'} odd; the remedies are above." if odd else ""
    )


def python():
    """The Python that runs, and whether it is the one of the course's own environment."""
    version = f"{sys.version.split()[0]}, {sys.executable}"
    if sys.version_info < (3, 11):  # noqa: UP036 (tools/doctor.py says so before this file is read)
        yield Line("Python", version, "install Python 3.11 or newer, and run the course with that one", stops=True)
        return
    own = next((ROOT / name for name in (".venv", "venv") if (ROOT / name / "pyvenv.cfg").is_file()), None)
    if own and Path(sys.prefix).resolve() != own.resolve():
        yield Line("Python", version, f"the course has an environment of its own, {own}: activate that")
    else:
        yield Line("Python", version)


IMPORTS = """
import importlib, json
for name in {names}:
    try:
        importlib.import_module(name.replace("-", "_"))
        reason = ""
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    print("\\n" + json.dumps([name, reason]), flush=True)
"""


# --- packages ------------------------------------------------------------------------------------


def packages():
    """Every package that pyproject.toml asks for: there, new enough, importable."""
    wanted = dict(map(_requirement, _project()["dependencies"]))
    broken = _broken(wanted)
    faults = [fault for name, least in wanted.items() if (fault := _fault(name, least, broken))]
    yield from faults
    if not faults:
        yield Line("packages", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in wanted))


def _project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _requirement(text):
    """("numpy", "1.26") for "numpy>=1.26"."""
    name, least = re.fullmatch(r"([\w.-]+)(?:\[[^]]*\])?\s*(?:>=\s*([\w.]+))?.*", text).groups()
    return name, least or "0"


def _fault(name, least, broken):
    install = f"{_python()} -m pip install -e {_quoted(ROOT)}"
    if not _is_installed(name):
        return Line(name, "is not installed", install, stops=True)
    version = importlib.metadata.version(name)
    if _numbers(version) < _numbers(least):
        return Line(name, f"{version} is too old, the course needs {least}", install, stops=True)
    if name in broken:
        again = f"{_python()} -m pip install --force-reinstall {name}"
        return Line(name, f"{version} can't be imported: {broken[name]}", again, stops=True)
    return None


def _numbers(version):
    """(1, 26, 4) for 1.26.4rc1: as far as versions are numbers."""
    return tuple(int(number) for number in re.findall(r"\d+", re.match(r"[\d.]*", version)[0]))


def _broken(names):
    """Return {name: reason} of the installed packages that can't be imported, tried in a process of their own."""
    installed = [name for name in names if _is_installed(name)]
    said = _ask(IMPORTS.format(names=installed))
    told = dict(json.loads(line) for line in said.stdout.splitlines() if line.startswith("["))
    reasons = {name: reason for name, reason in told.items() if reason}
    if said.returncode:  # the one being imported took Python down
        culprit = next((name for name in installed if name not in told), None)
        reasons[culprit] = f"Python ended with status {said.returncode}"
    return reasons


def _is_installed(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _ask(code):
    """Run a line of Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", errors="replace", check=False, cwd=ROOT
    )


def _last(text):
    return (text.strip().splitlines() or [""])[-1]


def _python():
    return _quoted(sys.executable)


def _quoted(path):
    return f'"{path}"' if " " in str(path) else str(path)


# --- the terminal and the disk -------------------------------------------------------------------


def encoding():
    """Whether what is printed can be written: names of folders, a hint's symbols, what a learner prints."""
    name = sys.stdout.encoding or "ascii"
    if name.lower().replace("-", "").replace("_", "") in ("utf8", "cp65001"):
        yield Line("terminal", name)
        return
    cause = "PYTHONIOENCODING is set: unset it" if os.environ.get("PYTHONIOENCODING") else "set PYTHONUTF8=1"
    yield Line("terminal", f"writes {name}, not UTF-8", cause, stops=not _can_write(str(ROOT), name))


def _can_write(text, encoding):
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width():
    """Whether a sentence has room."""
    columns = shutil.get_terminal_size().columns
    told = " (the variable COLUMNS says so: unset it)" if os.environ.get("COLUMNS") == str(columns) else ""
    narrow = f"make the window 80 columns wide{told}" if columns < NARROW else ""
    yield Line("width", f"{columns} columns", narrow)


def disk():
    """Room for CIFAR-10 where the course lies, and for temporary files where they go."""
    free = shutil.disk_usage(ROOT).free // 10**6
    full = f"free {CIFAR - free} MB before train.py --download, or keep the images elsewhere: train.py --data DIR"
    yield Line("disk", f"{free:,} MB free, CIFAR-10 needs {CIFAR}", "" if free >= CIFAR else full)
    folder = tempfile.gettempdir()
    left = shutil.disk_usage(folder).free // 10**6
    if left < SCRATCH:
        remedy = f"free {SCRATCH} MB there, or set TMPDIR to a folder with room"
        yield Line("temporary", f"{left} MB free in {folder}", remedy, stops=True)


def writing():
    """Whether progress can be remembered and the starters be edited."""
    for folder in (ROOT / ".kata", ROOT / "Module02-CNNs"):
        try:
            folder.mkdir(exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            remedy = "copy the course to a folder of your own, or give yourself the right to write there"
            yield Line("writing", f"{folder}: {error.strerror}", remedy, stops=True)
            return
    yield Line("writing", "progress can be remembered")


def events():
    """Whether the system tells that a file was saved; watch.py works without it, a little later."""
    try:
        import watchfiles  # noqa: F401
    except Exception:
        yield Line("file events", "not looked at: watchfiles can't be imported", "mend the packages first")
        return
    try:
        seconds = _seconds_to_event()
    except OSError as error:
        yield Line("file events", f"not looked at: {error.strerror}", "make the course's folder writable first")
        return
    if seconds is None:
        found = f"a saved file was not announced within {EVENT} seconds"
        yield Line("file events", found, "watch.py looks at your file by itself then; a local disk would announce it")
    else:
        yield Line("file events", f"a saved file is announced after {1000 * seconds:.0f} ms")


def _seconds_to_event():
    """How long a save takes to be announced in the course's folder, None where it is not."""
    import watchfiles

    (ROOT / ".kata").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".kata") as folder:
        stop, seen = threading.Event(), threading.Event()

        def listen():
            with contextlib.suppress(Exception):
                for _ in watchfiles.watch(folder, stop_event=stop, step=10, debounce=50, raise_interrupt=False):
                    seen.set()
                    return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        end, seconds = time.monotonic() + EVENT, None
        while seconds is None and time.monotonic() < end:
            saved = time.monotonic()
            (Path(folder) / "saved.py").write_text(str(saved))
            if seen.wait(0.5):
                seconds = time.monotonic() - saved
        stop.set()
        listener.join(2)
    return seconds


# --- computing -----------------------------------------------------------------------------------

PROBE = """
import json, numpy
try:
    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
except Exception:
    blas = {}
pools = []
try:
    import threadpoolctl
    numpy.ones((2, 2)) @ numpy.ones((2, 2))
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
except ModuleNotFoundError:
    pass
print(json.dumps([numpy.__version__, blas, pools], default=str))
"""


def blas():
    """The library that multiplies matrices: which, with kernels for which processor, on how many threads."""
    said = _ask(PROBE)
    if said.returncode:
        yield Line("BLAS", "not looked at: NumPy can't be imported", "mend the packages first")
        return
    _, built, pools = json.loads(_last(said.stdout))
    yield _library(built, pools)
    for pool in pools[:1]:
        yield _kernels(pool)
        yield _threads(pool)


def _library(built, pools):
    name = built.get("name") or (pools[0]["internal_api"] if pools else "")
    if built.get("found") is False or name in ("", "none") or "lapack_lite" in name:
        remedy = f"a NumPy with a BLAS: {_python()} -m pip install --force-reinstall --only-binary :all: numpy"
        return Line("BLAS", "none: NumPy multiplies matrices with its own slow loops", remedy)
    return Line("BLAS", f"{name} {built.get('version', '')}".strip())


def _kernels(pool):
    name = pool.get("architecture") or "not told"
    forced = os.environ.get("OPENBLAS_CORETYPE")
    remedy = "in a virtual machine, hand the host's processor through (its AVX2)" if name in OLD_KERNELS else ""
    return Line("kernels", f"for {name}", f"OPENBLAS_CORETYPE={forced}: unset it" if forced and remedy else remedy)


def _threads(pool):
    threads, cores = pool["num_threads"], _cores()
    found = f"{threads} on {cores} core{'s' * (cores > 1)}"
    named = next((name for name in THREADS if os.environ.get(name)), "")
    if threads > cores:
        return Line("threads", found, f"they get in each other's way: set {named or THREADS[0]}={cores}")
    if threads < cores and named:
        return Line("threads", found, f"training could use all cores: unset {named}")
    return Line("threads", found)


def _cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def warm_run():
    """How long one exercise's tests take when everything was read before; whether the harness runs at all."""
    try:
        seconds = _second_run()
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield Line(
            "a warm run", f"the tests can't be run: {reason}", "mend what stands above; then run this again", True
        )
        return
    except SystemExit:
        yield Line("a warm run", "not tried: a package is missing", "mend the packages first", True)
        return
    slow = "a virus scanner, or a folder on a network or in a cloud? Put the course on a local disk, outside of both"
    yield Line("a warm run", f"{seconds:.1f} s for the tests of one exercise", slow if seconds > SLOW else "")


def _second_run():
    """Run the visible tests of the course's first exercise twice, and return the second time's seconds."""
    from kata import source
    from kata.errors import KataError
    from kata.runner import Request, run
    from kata.topics import all_topics

    topic = all_topics()[0]
    exercise = next(iter(source.exercises(topic.outline)))
    for _ in range(2):
        began = time.monotonic()
        shown = run(Request(topic, topic.outline, exercises=frozenset([exercise]), diagnose=False))
        if not shown.results:
            raise KataError(f"no test of {exercise} was reported")
    return time.monotonic() - began


CHECKS = (python, packages, encoding, width, writing, disk, events, blas, warm_run)
