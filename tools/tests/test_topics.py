"""A learner names a topic by number, stem, folder or path."""

import pytest

from kata.errors import KataError
from kata.topics import MODULE, REFERENCE, all_topics, find_topic, solution_path, topic_of_suite


def test_order():
    """The topics come in order of their numbers."""
    numbers = [topic.number for topic in all_topics()]
    assert numbers == sorted(set(numbers)) and numbers


@pytest.mark.parametrize("topic", all_topics(), ids=lambda topic: topic.stem)
def test_every_name(topic):
    """A topic answers to number, stem in any case, folder name, hints folder, and every path in it."""
    names = [topic.number, topic.stem, topic.stem.upper(), topic.folder.name, f"{topic.folder.name}/"]
    paths = [topic.folder, topic.starter, topic.visible, topic.hints, topic.reference]
    for name in [*names, f"{topic.number}-{topic.stem}", *map(str, paths)]:
        assert find_topic(name) is topic


@pytest.mark.parametrize("name", ["99", "", "im2", "Topic", "../nowhere", "."])
def test_unknown(name):
    """An unknown topic is refused with a list of those there are."""
    with pytest.raises(KataError) as refused:
        find_topic(name)
    first = all_topics()[0]
    assert repr(name) in str(refused.value) and f"{first.number} {first.stem}" in str(refused.value)


def test_relative_path(monkeypatch):
    """A path counts from the current folder."""
    topic = all_topics()[0]
    monkeypatch.chdir(topic.folder)
    assert find_topic(topic.starter.name) is topic


def test_suites():
    """A file is a topic's suite by its place and its name."""
    topic = all_topics()[0]
    assert topic_of_suite(topic.visible) is topic
    assert topic_of_suite(topic.starter) is None
    assert topic_of_suite(MODULE / "test_visible.py") is None


def test_solution_words(tmp_path):
    """A solution is mine, the reference, a file, or a folder that holds the file or the topic's folder."""
    topic = all_topics()[0]
    file = tmp_path / topic.starter.name
    nested = tmp_path / "all" / topic.folder.name / topic.starter.name
    nested.parent.mkdir(parents=True)
    file.touch()
    nested.touch()
    assert solution_path(topic, "mine") == topic.starter
    assert solution_path(topic, "reference") == REFERENCE / topic.starter.name
    assert solution_path(topic, str(file)) == file.resolve()
    assert solution_path(topic, file.name, tmp_path) == file.resolve()
    assert solution_path(topic, str(tmp_path)) == file.resolve()
    assert solution_path(topic, "all", tmp_path) == nested.resolve()


def test_solution_missing(tmp_path):
    """A solution that is not there is refused with its full path."""
    topic = all_topics()[0]
    for choice in ("nowhere.py", "."):
        with pytest.raises(KataError, match="there is no file") as refused:
            solution_path(topic, choice, tmp_path)
        assert str(tmp_path.resolve()) in str(refused.value)
