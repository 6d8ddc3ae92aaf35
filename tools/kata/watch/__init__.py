"""What `tools/watch.py` does: a warm process runs the tests at every save, one screen shows where you are."""
