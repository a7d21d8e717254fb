"""The lake: bronze, silver and quarantine, as objects in a folder or an S3 bucket.

Here: the interface (`objects.py`), its stores (`folder.py`, `s3.py`), every name (`layout.py`), and each layer's
manifests. Not here: decoding (`sources/`), and the checks of a partition (`quality/`).
"""
