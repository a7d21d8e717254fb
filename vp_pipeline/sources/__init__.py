"""What is ingested: one folder per source, with its tables, connector manifest and decoder.

Here: those folders, listed in `registry.py`, and the types that they fill in: a source and its streams (`source.py`), a
table and its columns (`contract.py`, checked by `enforce.py`), a decoder's input and output (`landed.py`). Not here:
anything of Dagster, and how often or when a source is read.
"""
