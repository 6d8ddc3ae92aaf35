"""Which topics `cnn` takes from the learner in this process."""

import sys

from kata.errors import KataError
from kata.topics import REFERENCE, all_topics


def carry(topics):
    """Make `cnn` take these topics from the learner's folders and all others from the reference.

    Modules of `cnn` that were imported before are forgotten, so that the next import obeys.
    """
    import cnn

    cnn.__path__[:] = [*(str(topic.folder) for topic in topics), str(REFERENCE)]
    for name in [name for name in sys.modules if name.startswith("cnn.")]:
        del sys.modules[name]
        vars(cnn).pop(name.removeprefix("cnn."), None)


def carry_only_reference():
    """Make `cnn` the reference alone, or what the learner has finished where no reference is shipped."""
    from kata.progress import finished_topics

    carry(finished_topics() if any(topic.is_released for topic in all_topics()) else [])


class Unfinished(KataError, ImportError):
    """A topic of `cnn` is asked for that the learner has not finished, in a repository that ships no reference."""


class NoReference:
    """The last of the import system's finders: it says which topic is to be finished."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        for topic in all_topics():
            if name == f"cnn.{topic.stem}" and topic.is_released:
                raise Unfinished(
                    f"{name} is your own Topic {topic.number}, which is not finished yet, and this one stands on it. "
                    f"First: python tools/check.py {topic.number}"
                )
        return None
