"""The network is named with its line."""
# must: broken
# says: downloads.py:5 imports urllib.request, which is for the network

import urllib.request
