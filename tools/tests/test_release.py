"""release.py makes a student's repository that works and gives nothing away."""

import ast
import json
import re
import shutil
import tomllib
from urllib.parse import unquote

import pytest

from kata import source
from kata.release import leaks, making
from kata.topics import ROOT, STARTERS, all_topics

ONE_PROOF = "from kata import proofs\nproofs.PROOFS[:] = [proofs.{proof}]\nfrom kata.release.making import release\n"
RELEASE = (
    "from pathlib import Path\nfrom kata.topics import all_topics\nrelease(Path(sys.argv[1]), all_topics(), print)"
)


def release(course, out, proof="starter_is_generated", more=""):
    """Release a course as release.py does, with a single proof for each topic; return the CompletedProcess."""
    return course.python(ONE_PROOF.format(proof=proof) + more + RELEASE, out)


@pytest.fixture(scope="module")
def shipped(pristine, tmp_path_factory):
    """The miniature course as a student gets it; nobody writes in it."""
    out = tmp_path_factory.mktemp("released") / "for students"
    done = release(pristine, out)
    assert done.returncode == 0, done.stderr
    return type(pristine)(out.resolve())


@pytest.fixture
def student(shipped, tmp_path):
    """A student's repository of the test's own."""
    return shipped.copy(tmp_path / "my work")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The real course as a student gets it, not proved."""
    out = tmp_path_factory.mktemp("real") / "repository"
    making.build(out)
    return out


def texts(root):
    """Every file of a folder as text: {path: text}."""
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8", errors="replace")
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def answer(course, number):
    """The text of a solution that only the instructor has."""
    return course.topic(number).reference.read_text("utf-8")


# --- what is in it ------------------------------------------------------------------------------


def test_nothing_of_a_hidden_test(shipped, pristine):
    """No name, sentence, number or line of a hidden test is in any file."""
    found = texts(shipped.root)
    for number in (21, 22):
        visible = pristine.topic(number).visible.read_text("utf-8")
        hidden = pristine.topic(number).hidden.read_text("utf-8")
        tests = [n for n in ast.walk(ast.parse(hidden)) if isinstance(n, ast.FunctionDef)]
        secrets = {test.name for test in tests} | {ast.get_docstring(test) for test in tests}
        secrets |= {line.strip() for line in hidden.splitlines() if len(line.strip()) > 30} - set(visible.splitlines())
        secrets -= {secret for secret in secrets if secret in visible}
        assert len(secrets) > 4
        assert [(name, s) for name, text in found.items() for s in secrets if s in text] == []
    assert [name for name, text in found.items() if re.search(r"\b(31337|62674|340)\b", text)] == []


def test_nothing_of_a_solution(shipped, pristine):
    """No solution, mistake, hidden suite or contributor's tool is in it, and foundations.py is."""
    found = texts(shipped.root)
    assert {name for name in found if name.startswith("reference/")} == {"reference/foundations.py"}
    assert not [name for name in found if name.startswith("hints/") and not name.endswith(".md")]
    assert not [name for name in found if re.search(r"test_hidden|/tests/|prove|release|/grad(e\b|ing)", name)]
    for number in (21, 22):
        topic = pristine.topic(number)
        given = topic.starter.read_text("utf-8") + found["reference/foundations.py"]
        code = {line.strip() for line in answer(pristine, number).splitlines() if line.strip() not in given}
        code = {line for line in code if len(line) > 12 and not line.startswith("#")}
        assert code and [(name, line) for name, text in found.items() for line in code if line in text] == []


def test_starters_are_pristine(shipped, pristine):
    """The starters are those that the reference makes, whatever lies in the instructor's folders."""
    for number in (21, 22):
        assert shipped.topic(number).starter.read_bytes() == pristine.topic(number).starter.read_bytes()


def test_real_course(real):
    """The real course, released, gives nothing away, and its documents name only what is there."""
    assert leaks.find(real) == []
    found = texts(real)
    for page in (name for name in found if name.endswith("README.md")):
        links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", found[page])
        local = [unquote(link) for link in links if "://" not in link]
        assert [link for link in local if not (real / page).parent.joinpath(link).exists()] == []
    tools = {path.name for path in (real / "tools").glob("*.py")}
    named = set(re.findall(r"tools/(\w+\.py)\b", "".join(text for name, text in found.items() if name.endswith(".md"))))
    assert named <= tools and tools == set(re.findall(r"`python tools/(\w+\.py)`", found["README.md"]))
    assert "until then" not in found["Module02-CNNs/README.md"]


def test_real_starters(real):
    """Every topic has its starter twice, pristine: to write in, and for reset.py to find."""
    for topic in all_topics():
        for place in (topic.starter, STARTERS / topic.starter.name):
            assert source.read(real / place.relative_to(ROOT)) == source.starter(topic)


def test_real_tools(real, pristine, tmp_path):
    """The picture is the learner's own or a sentence on what is to be written first; so is what bench.py measures."""
    course = type(pristine)(shutil.copytree(real, tmp_path / "my course"))
    undrawn = course.run("picture.py", 11, "--out", tmp_path / "pictures")
    assert undrawn.returncode == 2 and "conv2d_forward is still to do. This repository ships no" in undrawn.stderr
    (starter,) = course.root.glob("*/Topic 11-*/conv2d.py")
    starter.write_bytes((ROOT / "reference" / "conv2d.py").read_bytes())
    drawn = course.run("picture.py", 11, "--html", "--out", tmp_path / "pictures")
    assert drawn.stdout.startswith("Drawn from your conv2d_forward."), drawn.stderr
    for what in ("conv", "train"):
        unmeasured = course.run("bench.py", what)
        assert unmeasured.returncode == 2 and "which is not finished yet" in unmeasured.stderr
    assert "runs the reference, which a student's repository does not have" in course.run("bench.py", "loop").stderr


def test_pyproject(real):
    """pyproject.toml names the packages and the tests that are shipped, and no contributor's extras."""
    settings = tomllib.loads((real / "pyproject.toml").read_text("utf-8"))
    packages = settings["tool"]["setuptools"]["packages"]
    assert "kata.grading" not in packages and "kata.formats" in packages
    assert all((real / "tools" / name.replace(".", "/")).is_dir() for name in packages)
    assert settings["tool"]["pytest"]["ini_options"]["testpaths"] == ["Module02-CNNs"]
    assert not {"dev", "cluster"} & set(settings["project"].get("optional-dependencies", {}))


# --- what it is worth ---------------------------------------------------------------------------


def test_never_complete(student, pristine):
    """check.py counts the visible suite, says who decides the rest, and never says complete; its status is 0."""
    student.write(21, answer(pristine, 21))
    done = student.run("check.py", 21)
    assert done.returncode == 0, done.stdout
    assert "visible 4/4, hidden not here" in done.stdout and "your instructor's grade.py decides" in done.stdout
    assert "complete" not in done.stdout and "next: topic 22 later" in done.stdout
    verdict = student.verdict(21)
    assert verdict["awaits_hidden"] and not verdict["complete"] and verdict["cached"]


def test_cnn_is_the_students_own(student, pristine):
    """A topic waits for the earlier one it stands on, says which, and takes it once its visible suite passes."""
    student.write(22, answer(pristine, 22))
    done = student.run("check.py", 22)
    assert done.returncode == 1
    assert "cnn.mini is your own Topic 21, which is not finished yet" in " ".join(done.stdout.split())
    assert "Unfinished" not in done.stdout
    student.write(21, answer(pristine, 21))
    student.run("check.py", 21)
    verdict = student.verdict(22)
    assert verdict["awaits_hidden"] and verdict["visible"] == [2, 2]
    student.write(21, answer(pristine, 21).replace("return 2 * x", "return 3 * x"))
    assert "Topic 21" in student.verdict(22)["problem"]


def test_pytest(student, pristine):
    """Plain pytest runs the visible suite: red on the starter, with the next step, green on a solution."""
    topic = student.topic(21)
    done = student.pytest(topic.folder)
    assert done.returncode == 1 and "begin: " in done.stdout and "Traceback" not in done.stdout
    student.write(21, answer(pristine, 21))
    done = student.pytest(topic.folder, "--hidden")
    assert done.returncode == 0 and "4 passed" in done.stdout


def test_hints(student):
    """Hints are given up to level 3; there is no solution to give up to."""
    assert "What is the sum of 1 and 1" in student.run("hint.py", 21).stdout
    last = student.run("hint.py", 21, "--level", 3).stdout
    assert "One multiplication" in last and "give-up" not in last
    done = student.run("hint.py", 21, "--give-up", input="y\n")
    assert done.returncode == 2 and "ships no solutions" in done.stderr


def test_reset(student, pristine):
    """reset.py brings the pristine starter back."""
    starter = student.topic(21).starter
    before = starter.read_bytes()
    assert "is the starter already" in student.run("reset.py", 21).stdout
    student.write(21, answer(pristine, 21))
    assert student.run("reset.py", 21, "--yes").returncode == 0
    assert starter.read_bytes() == before


def test_no_reference(student):
    """--solution reference says that there is none."""
    done = student.run("check.py", 21, "--solution", "reference")
    assert done.returncode == 2 and "ships no solutions" in done.stderr


def test_wrong_solution(student, pristine):
    """A wrong exercise is told with its evidence, without a comparison to a reference that is not there."""
    student.write(21, answer(pristine, 21).replace("return 2 * x", "return 3 * x"))
    verdict = student.verdict(21)
    (failing,) = [exercise for exercise in verdict["exercises"] if exercise["status"] == "fail"]
    assert failing["name"] == "double" and failing["mistake"] is None and verdict["visible"] == [2, 4]
    assert not verdict["problem"] and not verdict["awaits_hidden"]


# --- when nothing is released -------------------------------------------------------------------


def test_refused_while_a_proof_fails(course, tmp_path):
    """Where prove.py is red nothing is released, and the proof that fails is named."""
    course.topic(22).starter.write_text("x = 1\n", "utf-8")
    done = course.run("release.py", tmp_path / "out", "--prove", 22)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "nothing was released, a proof of topic 22 later does not hold: the starter is what" in done.stderr
    assert list(tmp_path.iterdir()) == [course.root]


def test_refused_where_it_would_tell(course, tmp_path):
    """A hint that says what a hidden test says keeps the course from being released."""
    hint = course.topic(21).hints / "level-1.md"
    hint.write_text(hint.read_text("utf-8") + "\nTry 31337. A table is refused; the message has its shape.\n", "utf-8")
    done = release(course, tmp_path / "out")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert "hints/21-mini/level-1.md says: A table is refused" in done.stderr
    assert "hints/21-mini/level-1.md holds 31337" in done.stderr


@pytest.mark.parametrize("place", ["inside", "taken"])
def test_refused_place(course, tmp_path, place):
    """A folder that is taken, or that lies in the course, is left alone."""
    out = course.root / "out" if place == "inside" else tmp_path / "taken"
    if place == "taken":
        (out / "mine").mkdir(parents=True)
    done = course.run("release.py", out, "--prove", 21)
    assert done.returncode == 2 and ("lies in the course" if place == "inside" else "is there already") in done.stderr
    assert out.exists() == (place == "taken")


def test_leaks_are_found(tmp_path):
    """A name, a sentence or a number of a hidden test is found in any kind of file."""
    hidden = ast.parse(source.read(all_topics()[0].hidden))
    tests = [node for node in ast.walk(hidden) if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    names, sentences, numbers = leaks._secrets()
    test = next(test for test in tests if test.name in names and ast.get_docstring(test) in sentences)
    (tmp_path / "a.pyi").write_text(f"# {test.name}\n", "utf-8")
    (tmp_path / "b.md").write_text(ast.get_docstring(test).replace(" ", "\n", 1), "utf-8")
    (tmp_path / "c.json").write_text(json.dumps([max(numbers)]), "utf-8")
    assert [found.split()[0] for found in leaks.find(tmp_path)] == ["a.pyi", "b.md", "c.json"]
