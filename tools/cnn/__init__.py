"""The library you are building: `from cnn.im2col import Conv2d` is your own code once it is complete.

A topic's module comes from its folder when `check.py` has passed on exactly the file that lies there,
and from `reference/` until then, so every topic stands on working code.
"""

from kata.progress import finished_topics
from kata.topics import REFERENCE

__path__ = [*(str(topic.folder) for topic in finished_topics()), str(REFERENCE)]
