"""The course itself: references green, starters red and generated, one stem in every tree."""

import ast
import math

import pytest

from kata import source, starters
from kata.topics import MODULE, REFERENCE, all_topics

each_topic = pytest.mark.parametrize("topic", all_topics(), ids=lambda topic: topic.stem)


@each_topic
def test_reference_passes(topic, clone):
    """The reference passes the visible and the hidden suite."""
    done = clone.pytest(MODULE.name + "/" + topic.folder.name, "--solution", "reference", "--hidden", "-q")
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout and "xfailed" not in done.stdout


@each_topic
def test_starter_fails(topic, clone):
    """On a fresh clone every visible test fails, in a screen of output that says where to begin."""
    done = clone.pytest(MODULE.name + "/" + topic.folder.name)
    assert done.returncode == 1
    assert " failed in " in done.stdout and " passed" not in done.stdout and "Traceback" not in done.stdout
    lines = done.stdout.splitlines()
    assert sum(max(1, math.ceil(len(line) / 80)) for line in lines) <= 30
    assert any(line.startswith("begin: ") and f"{topic.stem}.py:" in line for line in lines)
    assert f"hint.py {topic.number}" in done.stdout


@each_topic
def test_starter_is_generated(topic):
    """A starter nobody has begun is what the reference generates."""
    assert starters.is_pristine(topic) or not starters.is_untouched(topic)


@each_topic
def test_files(topic):
    """A topic has starter, reference, both suites, three hint levels, mistakes and a lesson."""
    files = [topic.starter, topic.reference, topic.visible, topic.hidden, topic.mistakes, topic.folder / "README.md"]
    files += [topic.hints / f"level-{level}.md" for level in (1, 2, 3)]
    assert [path.name for path in files if not path.is_file()] == []


@each_topic
def test_starter_keeps_every_signature(topic):
    """Starter and reference have the same exercises with the same signatures and docstrings."""

    def outline(text):
        found = []
        for node in ast.parse(text).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                methods = [inner for inner in getattr(node, "body", []) if isinstance(node, ast.ClassDef)]
                found += [signature(inner) for inner in [node, *methods] if isinstance(inner, ast.FunctionDef)]
                found.append((node.name, ast.get_docstring(node)))
        return found

    def signature(function):
        return function.name, ast.unparse(function.args), ast.get_docstring(function)

    assert outline(source.starter(topic)) == outline(source.read(topic.reference))


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.py")), ids=lambda path: path.stem)
def test_stub_file_is_generated(path):
    """The editors' stub file of a reference is what the reference generates."""
    assert source.read(starters.stub_path(path)) == starters.stub(path)
