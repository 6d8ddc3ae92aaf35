"""The topic itself is nothing to be imported."""
# must: broken
# says: borrows.py:5 imports cnn.mini: of cnn a topic may use the earlier topics

from cnn.mini import *
