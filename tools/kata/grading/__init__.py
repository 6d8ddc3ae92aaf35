"""Grading a class: what was handed in, graded a submission at a time, on this machine or on a Dask cluster.

`submissions` finds the starter files in folders, single files and archives; `work` grades one submission in a scratch
copy of the course; `places` runs many; `session` keeps what is done and writes what `report` makes of it.
"""
