"""What is remembered is written whole or not at all, and a broken memory costs nothing but history."""

import json
import os

import pytest

from kata import progress
from kata.topics import Topic


@pytest.fixture
def topic(tmp_path, monkeypatch):
    """A topic with nothing remembered, in a repository of its own."""
    monkeypatch.setattr(progress, "FOLDER", tmp_path / ".kata")
    made = Topic(21, "tiny", tmp_path)
    monkeypatch.setattr(progress, "all_topics", lambda: (made,))
    made.starter.write_text("x = 1\n", encoding="utf-8")
    return made


def memory_file(topic):
    return topic.folder / ".kata" / "21-tiny.json"


def test_remembered_news_add_up(topic):
    """What is remembered stays when something else is."""
    assert progress.recall(topic) == {}
    assert progress.remember(topic, key="k") and progress.remember(topic, hints={"f": 1})
    assert progress.recall(topic) == {"format": progress.FORMAT, "key": "k", "hints": {"f": 1}}


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "null", '"text"', "\xff\xfe", '{"format": '])
def test_corrupted_file(topic, content):
    """A file that is no memory is moved aside and counts as empty."""
    memory_file(topic).parent.mkdir()
    memory_file(topic).write_text(content, encoding="latin-1")
    assert progress.recall(topic) == {}
    assert not memory_file(topic).exists()
    (aside,) = memory_file(topic).parent.iterdir()
    assert aside.read_text(encoding="latin-1") == content
    assert progress.remember(topic, key="k") and progress.recall(topic)["key"] == "k"


def test_other_format(topic):
    """A memory of another format is moved aside, not misread."""
    memory_file(topic).parent.mkdir()
    memory_file(topic).write_text(json.dumps({"format": 999, "key": "k"}), encoding="utf-8")
    assert progress.recall(topic) == {}
    assert [path.name for path in memory_file(topic).parent.iterdir()] == ["21-tiny.format"]


@pytest.mark.parametrize("passed", [7, None, "x", {}, [3]])
def test_memory_of_another_shape(topic, passed):
    """A memory whose entries have the wrong type finishes no topic and stops nothing."""
    progress.remember(topic, passed=passed)
    assert not progress.is_finished(topic)


def test_half_a_write(topic, monkeypatch):
    """A write that fails leaves the old memory and no litter."""
    progress.remember(topic, key="old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert progress.remember(topic, key="new") is False
    assert progress.recall(topic)["key"] == "old"
    assert [path.name for path in memory_file(topic).parent.iterdir()] == ["21-tiny.json"]


def test_folder_is_a_file(topic):
    """Where the folder can't be made, nothing is remembered and nothing fails."""
    (topic.folder / ".kata").write_text("in the way", encoding="utf-8")
    assert progress.recall(topic) == {}
    assert progress.remember(topic, key="k") is False
    assert (topic.folder / ".kata").read_text(encoding="utf-8") == "in the way"


def test_finished_means_exactly_this_file(topic):
    """A topic is finished while its file is one that passed, to the byte."""
    assert not progress.is_finished(topic)
    progress.remember(topic, passed=[progress.digest(topic.starter)])
    assert progress.is_finished(topic) and progress.finished_topics() == [topic]
    topic.starter.write_text("x = 2\n", encoding="utf-8")
    assert not progress.is_finished(topic)
    topic.starter.write_text("x = 1\n", encoding="utf-8")
    assert progress.is_finished(topic)
    topic.starter.unlink()
    assert not progress.is_finished(topic)


def test_missing_file_never_counts(topic):
    """An empty file's hash finishes no topic whose file is missing."""
    topic.starter.unlink()
    progress.remember(topic, passed=[progress.digest(topic.starter)])
    assert not progress.is_finished(topic)


def test_digest_keeps_files_apart(tmp_path):
    """Bytes that move from one file to the next change the digest."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"xy")
    second.write_bytes(b"z")
    before = progress.digest(first, second)
    first.write_bytes(b"x")
    second.write_bytes(b"yz")
    assert progress.digest(first, second) != before
