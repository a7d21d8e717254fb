"""Runs started from the command line, on the same Dagster instance that `dagster dev` shows.

Here: the instance (`instance.py`), one run of the daily job in this process (`daily_run.py`), and what a killed run
leaves behind (`orphans.py`). Not here: what is printed (`report.py`).
"""
