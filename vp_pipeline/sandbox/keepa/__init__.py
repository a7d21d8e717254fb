"""The stand-in for Keepa: where its products come from (`generated/`, `recordings.py`) and its API (`api.py`)."""
