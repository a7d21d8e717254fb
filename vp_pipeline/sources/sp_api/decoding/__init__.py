"""The steps of the decoder of Amazon's orders: a landed line to an order (`lines.py`), its fields by name
(`fields.py`), the fields of each API version as rows (`newest.py`, `v0.py`), and rows as tables (`assemble.py`).

Not here: the order of the steps (`decode.py`), and what a valid row is (`tables.py`).
"""
