"""The commands for a change of code: what it restates (`plan.py`), what it changes for consumers (`diff.py`), and days
that are made again on purpose (`rebuild.py`).

Not here: what differs, and why (`planning/`), and the runs that restate (`assets/`).
"""
