"""notebook.py writes a topic's notebook, carries edits, and makes links that lead somewhere."""

import doctest
import importlib
import re
import subprocess

import nbformat
import pytest

from kata import source
from kata.notebook import cells, making, remote
from kata.topics import Topic, all_topics

ADDRESSES = [
    ("https://github.com/ada/cnns.git", "https://github.com/ada/cnns"),
    ("https://ada:secret@github.com/ada/cnns", "https://github.com/ada/cnns"),
    ("git@github.com:ada/cnns.git", "https://github.com/ada/cnns"),
    ("ssh://git@git.example:2222/ada/cnns.git", "https://git.example/ada/cnns"),
    ("http://git.example:8080/cnns/", "http://git.example:8080/cnns"),
    ("/srv/cnns.git", ""),
    ("../cnns", ""),
    ("C:\\cnns", ""),
    ("file:///srv/cnns", ""),
    ("", ""),
]


@pytest.mark.parametrize("topic", all_topics(), ids=lambda topic: topic.stem)
def test_every_topic(topic):
    """A topic's notebook is valid, holds the whole lesson once, and a heading, a cell and a check for each exercise."""
    notebook = making.make(topic, source.starter(topic), "https://git.example/cnns")
    nbformat.validate(notebook)
    assert notebook.cells[0].source.count('ADDRESS = "https://git.example/cnns"') == 1
    assert f"TOPIC = {topic.number}\n" in notebook.cells[0].source
    lesson = "\n\n".join(cell.source for cell in notebook.cells if cell.metadata.kata.role == cells.LESSON)
    text = making.with_images(source.read(topic.folder / "README.md"), topic.folder)
    assert re.sub(r"\n+", "\n", lesson) == re.sub(r"\n+", "\n", text.strip("\n"))
    order = [
        cell["id"] for cell in notebook.cells if cell["id"].startswith(("part-", "check-")) or "heading-" in cell["id"]
    ]
    for name in source.exercises(topic.reference):
        place = order.index(f"heading-{name}")
        assert order[place : place + 3] == [f"heading-{name}", f"part-{name}", f"check-{name}"]
    assert any(cell.source == "%picture" for cell in notebook.cells) == making.has_picture(topic)


def test_pictures_come_along(tmp_path):
    """A lesson's own pictures are inside the notebook; other links stay as they are."""
    (tmp_path / "a b.svg").write_text("<svg/>", encoding="utf-8")
    text = "![one](a%20b.svg) ![two](https://git.example/x.png) ![three](missing.png) [four](a.md)"
    inside = "![one](data:image/svg+xml;base64,PHN2Zy8+)"
    assert making.with_images(text, tmp_path) == text.replace("![one](a%20b.svg)", inside)


def test_made_once(course):
    """A notebook that is there is left alone; --fresh makes it anew and keeps the old one beside."""
    path = course.topic(21).starter.with_suffix(".ipynb")
    first = course.run("notebook.py", 21)
    assert first.returncode == 0 and first.stdout.replace("\\", "/") == "made Module02-CNNs/Topic 21-Mini/mini.ipynb.\n"
    path.write_text(path.read_text("utf-8").replace("Doubling", "Mine"), "utf-8")
    mine = path.read_bytes()
    again = course.run("notebook.py", "mini")
    assert again.returncode == 1 and "mini.ipynb is there already." in again.stdout and path.read_bytes() == mine
    fresh = course.run("notebook.py", 21, "--fresh", cwd=course.root.parent)
    (kept,) = path.parent.glob("mini.backup-*.ipynb")
    assert fresh.returncode == 0 and kept.name in fresh.stdout and kept.read_bytes() == mine


def test_sync_and_conflict(course):
    """--sync says what it carried; a conflict is status 1, with the difference and the two ways out."""
    starter = course.topic(21).starter
    assert course.run("notebook.py", "--all", "--sync").returncode == 0
    path = starter.with_suffix(".ipynb")
    notebook = nbformat.read(path, 4)
    next(cell for cell in notebook.cells if cell["id"] == "part-double")["source"] = "def double(x):\n    return 2 * x"
    nbformat.write(notebook, path)
    starter.write_text(starter.read_text("utf-8").replace("double is still to do", "not yet"), "utf-8")
    done = course.run("notebook.py", 21, "--sync")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "both changed, in the same place; neither was touched. From mini.py to the notebook:\n"
    )
    assert "+    return 2 * x" in done.stdout and "mini.from-notebook.py" in done.stdout
    assert "--sync --take starter" in done.stdout and "--sync --take notebook" in done.stdout
    taken = course.run("notebook.py", 21, "--sync", "--take", "notebook")
    assert taken.returncode == 0 and "return 2 * x" in starter.read_text("utf-8")
    assert "what was there is kept in " in taken.stdout
    assert course.run("notebook.py", 21, "--sync").stdout.endswith("mini.ipynb and mini.py agree.\n")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], "name a topic, or give --all."),
        (["99"], "No topic is called '99'."),
        (["21", "--take", "starter"], "--take says what --sync takes"),
        (["21", "--sync", "--fresh"], "give one of them"),
    ],
)
def test_wrong_calls(course, arguments, sentence):
    """A wrong call is a sentence and status 2."""
    done = course.run("notebook.py", *arguments)
    assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr


# --- the remote ----------------------------------------------------------------------------------


@pytest.mark.parametrize("url, address", ADDRESSES)
def test_address(url, address):
    """A remote's address is told as anybody can use it: https, no password; a folder of this computer is none."""
    assert remote.public(url) == address


class Repository:
    def __init__(self, root):
        self.root = root
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
        subprocess.run(["git", "-C", str(self.root), *who, *words], check=True, capture_output=True)

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}", encoding="utf-8")

    def pushed(self):
        """Commit everything and let the remote's branch be what it is here."""
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "all")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "ROOT", tmp_path)
    return Repository(tmp_path)


def test_links(repository, tmp_path):
    """Links are made for what the remote's branch holds, and for nothing else."""
    topics = [Topic(number, "mini", tmp_path / f"Topic {number}-Mini") for number in (21, 22)]
    assert remote.address() == "" and remote.links(topics) == []
    repository.git("remote", "add", "origin", "git@github.com:ada/cnns.git")
    repository.write(cells.path_of(topics[0]))
    assert remote.address() == "https://github.com/ada/cnns" and remote.links(topics) == []
    repository.pushed()
    repository.write(cells.path_of(topics[1]))
    colab = "https://colab.research.google.com/github/ada/cnns/blob/main/Topic%2021-Mini/mini.ipynb"
    assert remote.links(topics) == [f"[Topic 21 on Colab]({colab})"]
    repository.write(tmp_path / ".binder" / "requirements.txt")
    repository.write(tmp_path / ".devcontainer" / "devcontainer.json")
    repository.pushed()
    codespaces, binder, *rest = remote.links(topics)
    assert codespaces == "[Open in GitHub Codespaces](https://codespaces.new/ada/cnns?ref=main)"
    assert binder == "[Open on Binder](https://mybinder.org/v2/gh/ada/cnns/main?urlpath=lab)" and len(rest) == 2


def test_other_forges(repository, tmp_path):
    """A repository elsewhere can be cloned by the first cell, but has no links; nor has a folder inside another's."""
    repository.git("remote", "add", "upstream", "https://git.example/ada/cnns")
    repository.write(tmp_path / ".binder" / "requirements.txt")
    repository.pushed()
    assert remote.address() == "https://git.example/ada/cnns" and remote.links([]) == []


def test_inside_another_repository(repository, tmp_path, monkeypatch):
    """A course that lies inside another repository does not take that one for itself."""
    repository.git("remote", "add", "origin", "https://github.com/ada/diary")
    (tmp_path / "course").mkdir()
    monkeypatch.setattr(remote, "ROOT", tmp_path / "course")
    assert remote.address() == ""


def test_no_links(course):
    """Without a remote no link is printed; it is said when there will be."""
    done = course.run("notebook.py", "--links")
    assert done.returncode == 1 and done.stdout == "" and "once what they open is pushed" in done.stderr


@pytest.mark.parametrize("name", ["parts", "remote", "session"])
def test_examples(name):
    """The examples in the docstrings are what the code gives."""
    result = doctest.testmod(importlib.import_module(f"kata.notebook.{name}"))
    assert result.failed == 0 and result.attempted > 0
