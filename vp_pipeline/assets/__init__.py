"""The assets, one module per layer, in flow order: `airbyte.py`, `bronze.py`, `silver.py`, `raw.py`, `dbt/`,
`published.py`, `delivery.py`.

Here: how data flows through Dagster: names (`keys.py`), displayed metadata (`metadata.py`), retries of a step
(`retries.py`), and the days of a run (`days/`). Not here: the work itself, which plain functions of the packages below
do, and the checks' rules (`quality/`).
"""
