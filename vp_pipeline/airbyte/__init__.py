"""Airbyte: syncs that land a vendor's records in the lake, one sync per stream and day.

Here: the interface that the assets use (`interface.py`) and its two implementations: `local.py` runs the connector in
this process (`connector_runner.py`, `connector.py`, `landing.py`), `remote.py` uses an Airbyte server (`api.py`), whose
connection is compared with the code (`drift.py`) and created from `infra/airbyte/` (`deploy.py`).
Not here: the connector manifest of a source (`sources/<source>/connector.yaml`).
"""
