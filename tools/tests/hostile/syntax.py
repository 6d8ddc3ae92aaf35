"""A syntax error is named with its line."""
# must: broken
# says: syntax.py:5 has a syntax error

def double(:
    pass
