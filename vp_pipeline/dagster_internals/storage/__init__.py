"""What Dagster's storages of both databases have in common, and that of a deployment.

Not here: the local one, `sqlite_storage.py`, which is named where it is by every dagster.yaml that people have copied.
"""
