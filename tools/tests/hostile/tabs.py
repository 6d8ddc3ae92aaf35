"""Tabs among spaces are named with their line."""
# must: broken
# says: tabs.py:7 has a syntax error

def double(x):
        if x:
	return x
