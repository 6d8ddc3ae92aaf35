"""A file whose import never ends is waited for once."""
# must: broken
# says: importing it did not end within 1 seconds at hangs_at_import.py:

while True:
    pass
