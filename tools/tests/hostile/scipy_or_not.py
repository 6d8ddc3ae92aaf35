"""A forbidden library is named also where its absence would be caught."""
# must: broken
# says: scipy_or_not.py:6 imports scipy

try:
    from scipy import signal
except ImportError:
    signal = None
