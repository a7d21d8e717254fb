"""Lineage for other tools: what runs wrote and from what, as OpenLineage events.

- `run_events.py`: what Dagster recorded of a run, as events.
- `receiver.py`: posting them, and the outbox of runs that are to be posted.
- `sensor.py`: finds runs that have ended.

Not here: the lineage that the Dagster UI shows (`assets/metadata.py`), from which the columns come.
"""
