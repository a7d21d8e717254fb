"""The warehouse: RAW's tables and their loads, on DuckDB or Snowflake.

Here: the interface and the load of a day (`loading.py`), each engine's own part (`duckdb.py`, `snowflake.py`), the
project's own tables (`migrations.py`), the ledger of days and builds (`ledger.py`), and creating Snowflake's objects
(`deploy.py`). Not here: the models on top of RAW (`dbt_project/`).
"""
