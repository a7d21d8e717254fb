"""What a change of code means for what is built: which models and days differ, why, and what that would publish.

Here: comparing the code that is there now with the code that the warehouse and the lake were made by. Not here: what
makes a fingerprint (`dbt/fingerprints.py`, `sources/decoder_code.py`), and the runs that restate (`assets/`).
"""
