"""Which topics `cnn` takes from the learner in this process."""

import sys

from kata.topics import REFERENCE


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
    """Make `cnn` the reference alone."""
    carry([])
