"""In a kernel: checks run on the code in the notebook, and say what check.py says."""

import re
import shutil
import subprocess

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from kata import notebook as package
from kata import source
from kata.mistakes import load_bank, twisted_source
from kata.notebook import cells, making
from kata.topics import all_topics, find_topic

MISTAKES = {
    11: ["steps_not_positions", "image_in_the_corner"],
    12: ["reshape_without_transpose"],
    13: ["max_padded_with_zeros", "max_stride_one"],
    14: ["normalised_with_unbiased_variance"],
    15: ["dilation_counted_as_holes"],
    16: ["layer_over_everything"],
    17: ["pixels_interleaved", "label_at_the_end"],
}
each_topic = pytest.mark.parametrize("topic", all_topics(), ids=lambda topic: topic.stem)


def executed(notebook, folder):
    """Run a notebook in a kernel that starts in a folder; return it."""
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=900, startup_timeout=300, kernel_name="python3", resources=where)
    return client.execute()


def said(cell):
    """All that a cell's outputs say, as plain text."""
    return "\n".join(one.get("text") or one.get("data", {}).get("text/plain", "") for one in cell.outputs)


def run(notebook, folder, *lines):
    """Put lines into cells behind a notebook's last one, run it, and return what those cells said."""
    notebook.cells += [new_code_cell(line) for line in lines]
    executed(notebook, folder)
    return [said(cell) for cell in notebook.cells[len(notebook.cells) - len(lines) :]]


def code(topic, text, last):
    """The cells that make a topic's code known, and a last one."""
    made = making.make(topic, text)
    solution = cells.solution_cells(made, source.exercises(topic.reference))
    return [made.cells[0], *solution, new_code_cell(last)]


# --- the seven topics, in one kernel -------------------------------------------------------------


@pytest.fixture(scope="module")
def all_checks(clone):
    """What %check says of every topic's starter and reference, and of ten mistakes: {(topic's number, which): text}."""
    wanted = {}
    for topic in all_topics():
        wanted[topic.number, "starter"] = code(topic, source.starter(topic), "%check")
        wanted[topic.number, "reference"] = code(topic, source.read(topic.reference), "%check")
        for mistake in mistakes(topic):
            last = f"%check {mistake.exercise}"
            wanted[topic.number, mistake.name] = code(topic, twisted_source(topic, mistake), last)
    all_cells = [cell for group in wanted.values() for cell in group]
    for number, cell in enumerate(all_cells):
        cell["id"] = f"cell-{number}"
    together = new_notebook(cells=all_cells)
    executed(together, clone.root / "Module02-CNNs")
    return {key: said(group[-1]) for key, group in wanted.items()}


def mistakes(topic):
    return [mistake for mistake in load_bank(topic).mistakes if mistake.name in MISTAKES[topic.number]]


@each_topic
def test_reference(topic, all_checks):
    """Made from the reference, every check is green, and the way to the verdict is told."""
    text = all_checks[topic.number, "reference"]
    assert re.findall(r"^pass  (\w+)$", text, re.MULTILINE) == list(source.exercises(topic.reference))
    assert not re.search(r"^(fail|todo|wait)", text, re.MULTILINE)
    assert "notebook.py" in text and "check.py" in text


@each_topic
def test_starter(topic, all_checks):
    """Made from the starter, every check says that its exercise, or one it needs, is still to do."""
    text = all_checks[topic.number, "starter"]
    assert re.findall(r"^todo  (\w+)$", text, re.MULTILINE) == list(source.exercises(topic.reference))
    found = re.findall(rf"^      Topic {topic.number} {topic.stem}: [\w.]+ is still to do$", text, re.MULTILINE)
    assert len(found) == len(source.exercises(topic.reference))
    assert "pass" not in text


@pytest.mark.parametrize("number, name", [(number, name) for number, names in MISTAKES.items() for name in names])
def test_mistake(number, name, all_checks):
    """Made from a mistake, the check is red and calls the mistake by its sentence."""
    (mistake,) = [one for one in mistakes(find_topic(number)) if one.name == name]
    text = all_checks[number, name]
    assert text.startswith(f"fail  {mistake.exercise}\n")
    assert f"looks like: {mistake.says} (hint level {mistake.level})" in text
    assert re.search(r"expected|refused|raise|shape", text)


# --- one notebook, as a learner has it -----------------------------------------------------------


def made(course, number=21):
    """Make a notebook with the tool and return it."""
    done = course.run("notebook.py", number)
    assert done.returncode == 0, done.stderr
    path = course.topic(number).starter.with_suffix(".ipynb")
    return nbformat.read(path, 4)


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.metadata.get("kata", {}).get("part") == name)


def test_top_to_bottom(course):
    """A notebook of working code runs from top to bottom, all checks green, and nothing is remembered by that."""
    course.solve(21)
    notebook = executed(made(course), course.topic(21).folder)
    checks = [cell for cell in notebook.cells if cell.source.startswith("%check ")]
    assert [said(cell).split("\n")[0] for cell in checks] == ["pass  double", "pass  double_backward", "pass  Scale"]
    html = checks[0].outputs[0]["data"]["text/html"]
    assert ">pass</span>" in html and "<code>double</code> 2 visible tests pass" in html
    assert not course.topic(21).memory.exists()
    assert course.verdict(21)["complete"]


def test_at_work(course):
    """Edited cells, an own helper, a mistake, a syntax error, a hint: each is answered from the cells."""
    notebook, folder = made(course), course.topic(21).folder
    helper = """import numpy as np

def _times(x, factor):
    print("<b>working</b>")
    if np.ndim(x) != 1:
        raise ValueError(f"double: x has shape {np.shape(x)}")
    return factor * np.asarray(x)"""
    answers = run(
        notebook,
        folder,
        helper,
        "def double(x):\n    return _times(x, 3)",
        "%check double",
        "# scratch\ndef double(x):\n    return None",
        "def double(x):\n    return _times(x, 2.0)",
        "%check double",
        "%check Double double",
        "%check nothing",
        "%hint",
        "%hint Scale 2",
        "%hint Scale 4",
        "try:\n    get_ipython().run_cell('def double(x:')\nexcept SyntaxError:\n    pass",
        "%check double",
    )
    wrong, right, both, unknown, hint, second, solution, broken = (answers[n] for n in (2, 5, 6, 7, 8, 9, 10, 12))
    assert wrong.startswith(
        "fail  double\n      The numbers 1 and -3 become 2 and -6.\n      at [0]: expected 2, got 3\n"
    )
    assert "looks like: the numbers are tripled (hint level 2)" in wrong and "or ask `%hint double`" in wrong
    html = notebook.cells[-11].outputs[0]["data"]["text/html"]
    assert "printed: &lt;b&gt;working&lt;/b&gt;" in html and "<b>" not in html
    assert right.startswith("pass  double\n") and "next: double_backward" in right
    assert both.startswith("pass  double\n")
    assert unknown.startswith("topic 21 mini has no exercise 'nothing'. It has: double, double_backward, Scale.")
    assert hint.startswith("topic 21 double_backward, level 1 of 3\n")
    assert second.startswith("topic 21 Scale, level 2 of 3\n") and "%hint Scale 3" in second
    assert "hints have the levels 1, 2 and 3" in solution and "--give-up" in solution
    assert broken.startswith("fail  double\n      cell double, line 1 has a syntax error")


def test_after_a_restart(course):
    """What was not run since the kernel started is taken from the notebook as it was saved, and that is said."""
    course.solve(21)
    notebook = made(course)
    cell_of(notebook, "double")["source"] = "def double(x):\n    return np.asarray(x) * 4.0"
    nbformat.write(notebook, course.topic(21).starter.with_suffix(".ipynb"))
    kept = new_notebook(cells=[notebook.cells[0]])
    answer, other = run(kept, course.topic(21).folder, "%check double", "%check Scale")
    assert answer.startswith("fail  double\n") and "expected 2, got 4" in answer
    assert "double: not run since the kernel started, so the saved version was checked." in answer
    assert other.startswith("pass  Scale\n")


# --- the first cell ------------------------------------------------------------------------------


def test_alone(tmp_path):
    """Away from the course and without an address to ask at, the first cell says what to do; no traceback."""
    with pytest.raises(CellExecutionError) as failure:
        executed(new_notebook(cells=[new_code_cell(making.first_cell(all_topics()[0], ""))]), tmp_path)
    text = str(failure.value)
    assert "The course could not be fetched: " in text and "write its repository's address into ADDRESS" in text
    assert "put this notebook into a copy of the course" in text


def test_fetched(course, tmp_path):
    """Away from the course, the first cell clones it from the address it was made with; a second run finds it."""
    shutil.rmtree(course.root / ".kata", ignore_errors=True)
    git = ["git", "-C", str(course.root), "-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / "else where").mkdir()
    topic = find_topic(11)
    cell = making.first_cell(topic, str(course.root)).replace("TOPIC = 11", "TOPIC = 21")
    wrong = "def double(x):\n    return 3 * x"
    notebook = new_notebook(cells=[new_code_cell(cell), new_code_cell(cell)])
    (_, answer) = run(notebook, tmp_path / "else where", wrong, "%check double")
    assert answer.startswith("fail  double\n")
    assert (tmp_path / "else where" / "course" / "tools" / "notebook.py").is_file()


def test_missing_package(monkeypatch, capsys):
    """A package that is missing is installed, and the magics are made known after that."""
    tries, commands = [], []

    def begin(topic):
        tries.append(topic)
        if len(tries) == 1:
            raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")

    def install(command, **settings):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(package, "_begin", begin)
    monkeypatch.setattr(package.subprocess, "run", install)
    package.begin(11)
    assert tries == [11, 11] and commands[0][1:4] == ["-m", "pip", "install"]
    assert capsys.readouterr().out == "hypothesis is not installed. Installing what the course needs ...\n"


def test_package_not_installed(monkeypatch):
    """Where installing fails, offline say, the command to run later and the doctor are named."""

    def begin(topic):
        raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")

    failed = subprocess.CompletedProcess([], 1, "", "Could not fetch\nERROR: no network\n")
    monkeypatch.setattr(package, "_begin", begin)
    monkeypatch.setattr(package.subprocess, "run", lambda command, **settings: failed)
    with pytest.raises(package.CannotStart) as error:
        package.begin(11)
    (text,) = error.value._render_traceback_()
    assert text.startswith("That did not work: ERROR: no network\n") and "pip install" in text and "doctor.py" in text
