"""Prints at import harm nothing, and what is missing is named."""
# must: broken
# says: has no double

print("4 passed in 0.01s")
