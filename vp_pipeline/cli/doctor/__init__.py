"""`vp doctor`: what is wrong with this installation, its settings, its data and its services, and what fixes it.

Modules: command.py (the command), examination.py (the table of probes), finding.py (what a probe finds); the probes,
plain functions over what they examine: installation.py, configuration.py, storage.py, records.py, days.py, services.py,
production.py.
"""
