"""The library you are building: `from cnn.im2col import Conv2d` is your own code once it is complete.

A topic's module comes from its folder when `check.py` has passed on exactly the file that lies there,
and from `reference/` until then, so every topic stands on working code.
"""

import sys

from kata.carry import NoReference
from kata.progress import finished_topics
from kata.topics import REFERENCE

sys.meta_path.append(NoReference)
__path__ = [*(str(topic.folder) for topic in finished_topics()), str(REFERENCE)]
