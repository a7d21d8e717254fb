"""dbt as a tool: running it in this process and reading what it knows of the project.

Here: a command (`invocation.py`, `in_process.py`) and its results (`results.py`); the parsed project (`project.py`),
and its columns, grain and edges (`column_lineage.py`, `grain.py`, `edges.py`). Not here: the models (`dbt_project/`),
and the assets that they are in Dagster (`assets/dbt/`).
"""
