"""Runs started from the command line, on the same Dagster instance that `dagster dev` shows.

Here: the instance (`instance.py`), and one run of the daily job in this process (`daily_run.py`), of all assets or
of those that are selected (`selection.py`, `publication.py`); and what the topics have (`consume.py`). Not here: what
is printed (`report.py`).
"""
