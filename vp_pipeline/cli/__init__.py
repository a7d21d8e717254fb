"""The command `vp`: one module per command, registered in `main.py`.

Here: arguments, and what is printed (`report.py`, `terminal.py`). Not here: the work of a command. A run started from
here is in `local_runs/`.
"""
