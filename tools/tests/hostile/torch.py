"""A forbidden library is named with its line."""
# must: broken
# says: torch.py:5 imports torch: a solution uses NumPy, the standard library and cnn, nothing else.

import torch
