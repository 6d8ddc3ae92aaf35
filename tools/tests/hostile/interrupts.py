"""A file that interrupts at import is told so."""
# must: broken
# says: importing it raises KeyboardInterrupt

raise KeyboardInterrupt
