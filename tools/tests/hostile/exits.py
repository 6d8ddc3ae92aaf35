"""A file that leaves the program at import is named with its line."""
# must: broken
# says: exits.py:7 leaves the program when it is imported (SystemExit)

import sys

sys.exit(0)
