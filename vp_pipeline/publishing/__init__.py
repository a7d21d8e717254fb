"""Publishing: what consumers read, replaced as a whole or not at all.

Here: the one flow (`publisher.py`), its steps on each engine (`duckdb.py`, `snowflake.py`), reading a publication
(`reader.py`), what each one changed (`changes.py`) and what that amounts to for a mart (`feed.py`), and the governed
metrics (`metrics.py`). Not here: the asset (`assets/published.py`), and building the marts (`assets/dbt/`).
"""
