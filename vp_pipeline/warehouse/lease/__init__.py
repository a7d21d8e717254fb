"""The lease: the right to write the warehouse, the lake and the publication, held by one process at a time.

Here: who holds it (`holder.py`), taking it and waiting for it (`lease.py`), and where it is kept: a locked file on one
machine (`file.py`), a row in Snowflake (`row.py`). Not here: which runs take it (`assets/exclusive.py`), and the end of
runs whose process is gone (`automation/killed_runs.py`).
"""
