"""A file that ends the process at import is told so once."""
# must: broken
# says: importing it took Python down with it (exit status 0

import os

os._exit(0)
