"""The doctor names each thing that is odd, with its remedy, and ends with 1 where it would stop a learner."""

import ast
import importlib.metadata
import json
import shutil
import subprocess
import sys
import venv
from types import SimpleNamespace

import pytest

from kata import doctor
from kata.topics import ROOT

TOOLS = ("doctor.py", "check.py")


def only(lines):
    (line,) = lines
    return line


# --- the whole of it -----------------------------------------------------------------------------


def test_healthy(course):
    """Where all is well each line says ok and the status is 0."""
    done = course.run("doctor.py", env=dict.fromkeys(doctor.THREADS, ""))
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("you can work.")
    things = [line[6:19].strip() for line in lines if line.startswith(("ok", "odd"))]
    for thing in ("Python", "packages", "terminal", "width", "writing", "disk", "file events", "BLAS", "a warm run"):
        assert thing in things


def test_many_faults(pristine, tmp_path):
    """Several faults at once are named one by one, in an ASCII terminal 40 columns wide too."""
    course = pristine.copy(tmp_path / "caf\u00e9 course")
    faults = {"PYTHONIOENCODING": "ascii", "COLUMNS": "40", "OPENBLAS_NUM_THREADS": "64"}
    (course.root / "tools" / "kata" / "worker.py").write_text("syntax error", encoding="utf-8")
    done = course.run("doctor.py", env=faults)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1 and done.stderr == ""
    assert "stop terminal writes ascii, not UTF-8 PYTHONIOENCODING is set: unset it" in said
    assert "odd width 40 columns make the window 80 columns wide (the variable COLUMNS says so: unset it)" in said
    assert "stop a warm run the tests can't be run: " in said
    assert said.endswith("2 things would stop you. Begin with the first.")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python without any package."""
    folder = tmp_path_factory.mktemp("bare") / "a venv"
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.fixture
def run_bare(bare, course):
    def run(*arguments):
        return subprocess.run(
            [str(bare), *arguments], cwd=course.root, env=course.environment(), capture_output=True, encoding="utf-8"
        )

    return run


def test_no_packages(run_bare):
    """Without any package the doctor still gets up, and names each missing one with the command that installs it."""
    done = run_bare("tools/doctor.py")
    assert done.returncode == 1 and done.stderr == ""
    for name in ("numpy", "click", "pytest"):
        assert any(line.split() == ["stop", name, "is", "not", "installed"] for line in done.stdout.splitlines())
    said = " ".join(done.stdout.split())
    assert "-m pip install -e" in said and "BLAS not looked at: NumPy can't be imported" in said
    assert "file events not looked at: watchfiles can't be imported" in said
    assert "stop a warm run" in said


def test_check_points_to_doctor(run_bare):
    """Where a package is missing, check.py says which, how to install it, and who looks at the rest."""
    done = run_bare("tools/check.py")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("click is not installed. In the repository's folder run: python -m pip install -e")
    assert "python tools/doctor.py looks at the whole set-up." in done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_old_python(tool):
    """An older Python is told that it is too old, not shown a traceback."""
    path = ROOT / "tools" / tool
    code = "import runpy, sys; sys.version_info = (3, 8, 0, 'final', 0); sys.path.insert(0, sys.argv[1]); "
    code += "runpy.run_path(sys.argv[2], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path.parent), str(path)], capture_output=True, encoding="utf-8"
    )
    said = done.stdout + done.stderr
    assert "3.11 or newer" in said and "Traceback" not in said
    assert done.returncode == (1 if tool == "doctor.py" else 2)
    assert tool == "doctor.py" or "tools/doctor.py" in said


def test_old_python_can_read_it():
    """The lines that look at the version are such that an old Python can read them."""
    for path in (ROOT / "tools" / "doctor.py", ROOT / "tools" / "kata" / "__init__.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 4))


def test_missing_in_the_middle(course):
    """A package that is missed only while a command works is a sentence and status 2 as well, and names its extra."""
    done = course.python(
        "from kata.cli import command\nimport sys\nsys.modules['nbformat'] = None\n"
        "@command\ndef main():\n    import nbformat\n\nmain()"
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert (
        'nbformat is not installed. In the repository\'s folder run: python -m pip install -e ".[notebook]"'
        in done.stderr
    )


# --- thing by thing ------------------------------------------------------------------------------


def test_environment_not_active(monkeypatch, tmp_path):
    """An environment in the course's folder that is not the one in use is pointed out."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    line = only(doctor.python())
    assert line.state == "odd" and f"{tmp_path / '.venv'}: activate that" in line.remedy


def test_package_too_old(monkeypatch):
    """A package older than pyproject.toml asks for stops the learner."""
    monkeypatch.setattr(doctor, "_broken", lambda names: {})
    versions = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.9.5" if name == "numpy" else versions(name))
    line = only(doctor.packages())
    assert line.state == "stop" and line.what == "numpy"
    assert line.found == "1.9.5 is too old, the course needs 1.26" and "pip install -e" in line.remedy


@pytest.mark.parametrize(
    "code, reason",
    [
        ("raise ImportError('no shared object')", "no shared object"),
        ("import os; os._exit(3)", "Python ended with status 3"),
    ],
)
def test_package_broken(monkeypatch, tmp_path, code, reason):
    """A package that is there and can't be imported stops the learner, even where it takes Python down."""
    (tmp_path / "click.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_project", lambda: {"dependencies": ["click>=8.1", "pooch"]})
    line = only(doctor.packages())
    assert line.state == "stop" and line.what == "click" and line.found.endswith(f"can't be imported: {reason}")
    assert line.remedy.endswith("-m pip install --force-reinstall click")


@pytest.mark.parametrize("name, state", [("utf-8", "ok"), ("cp1252", "odd"), ("ascii", "odd")])
def test_encoding(monkeypatch, name, state):
    """A terminal that is not UTF-8 is odd, and PYTHONUTF8 its remedy."""
    monkeypatch.setattr(doctor.sys, "stdout", SimpleNamespace(encoding=name))
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    monkeypatch.setattr(doctor, "ROOT", "C:\\course")
    line = only(doctor.encoding())
    assert line.state == state and line.remedy == ("" if state == "ok" else "set PYTHONUTF8=1")


def test_disk(monkeypatch):
    """Too little room for CIFAR-10 is odd; too little for temporary files stops."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5 * 10**6))
    images, temporary = doctor.disk()
    assert images.state == "odd" and images.remedy.startswith("free 355 MB before train.py --download")
    assert temporary.state == "stop" and "TMPDIR" in temporary.remedy


def test_not_writable(monkeypatch, tmp_path):
    """Where progress can't be written down, a learner is stopped."""
    (tmp_path / ".kata").write_text("a file where a folder belongs", encoding="utf-8")
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    line = only(doctor.writing())
    assert line.state == "stop" and str(tmp_path / ".kata") in line.found and "folder of your own" in line.remedy


def test_no_events(monkeypatch, tmp_path):
    """A disk that announces no saved file is odd; watch.py manages."""
    import watchfiles

    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setattr(doctor, "EVENT", 0.1)
    monkeypatch.setattr(watchfiles, "watch", lambda *paths, stop_event, **settings: stop_event.wait() and iter(()))
    line = only(doctor.events())
    assert line.state == "odd" and "was not announced" in line.found and "watch.py" in line.remedy


def told(blas, *pools):
    return SimpleNamespace(returncode=0, stdout=json.dumps(["2.0", blas, pools]))


POOL = {"user_api": "blas", "internal_api": "openblas", "num_threads": 2, "architecture": "Haswell"}
FOUND = {"name": "scipy-openblas", "found": True, "version": "0.3"}


@pytest.mark.parametrize(
    "blas, pool, cores, place, state, said",
    [
        (FOUND, {}, 2, 0, "ok", "scipy-openblas 0.3"),
        ({"name": "none", "found": False}, {}, 2, 0, "odd", "none: NumPy multiplies matrices with its own slow loops"),
        (FOUND, {}, 2, 1, "ok", "for Haswell"),
        (FOUND, {"architecture": "Prescott"}, 2, 1, "odd", "for Prescott"),
        (FOUND, {}, 2, 2, "ok", "2 on 2 cores"),
        (FOUND, {"num_threads": 64}, 2, 2, "odd", "64 on 2 cores"),
        (FOUND, {"num_threads": 1}, 4, 2, "odd", "1 on 4 cores"),
    ],
)
def test_blas(monkeypatch, blas, pool, cores, place, state, said):
    """A missing BLAS, kernels for an old processor, too many and too few threads are odd."""
    monkeypatch.setattr(doctor, "_ask", lambda code: told(blas, POOL | pool))
    monkeypatch.setattr(doctor, "_cores", lambda: cores)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    line = list(doctor.blas())[place]
    assert (line.state, line.found) == (state, said)


def test_old_kernels_forced():
    """OpenBLAS does use the old kernels that OPENBLAS_CORETYPE asks for, and the remedy names the variable."""
    line = doctor._kernels(POOL | {"architecture": "Prescott"})
    assert "virtual machine" in line.remedy


def test_warm_run(monkeypatch):
    """A slow run is odd; one that fails stops."""
    monkeypatch.setattr(doctor, "_second_run", lambda: 11.0)
    slow = only(doctor.warm_run())
    assert slow.state == "odd" and slow.found == "11.0 s for the tests of one exercise" and "local disk" in slow.remedy

    def fail():
        raise RuntimeError("no pipe\nmore")

    monkeypatch.setattr(doctor, "_second_run", fail)
    line = only(doctor.warm_run())
    assert line.state == "stop" and line.found == "the tests can't be run: no pipe"
