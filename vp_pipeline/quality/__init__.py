"""The rules of the gates: what each check compares, with which threshold, and which days it lets through.

Here: plain functions from data to outcomes (`outcome.py`), every threshold (`thresholds.py`), the gate between runs
(`gate.py`), waivers, and the search for bad days (`bisection.py`). Not here: when a check runs (`assets/`), and dbt's
tests (`dbt_project/`).
"""
