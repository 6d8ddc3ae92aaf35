"""An exception at import is named with its line."""
# must: broken
# says: divides.py:5 can't be imported: ZeroDivisionError

half = 1 / 0
