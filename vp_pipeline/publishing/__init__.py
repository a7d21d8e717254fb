"""Publishing: what consumers read, replaced as a whole or not at all.

Here: the one flow (`publisher.py`), its steps on each engine (`duckdb.py`, `snowflake.py`), reading a publication
(`reader.py`), and the governed metrics (`metrics.py`). Not here: the asset (`assets/published.py`), and building the
marts (`assets/dbt/`).
"""
