"""The gates of bronze: rules about responses as they landed, before anything is decoded.

Here: whether everything that was requested is there (`completeness.py`) and of the day (`timeliness.py`), and what
differs from the expected schema (`schema_drift.py`). Not here: reading them (`sources/<source>/inspection.py`).
"""
