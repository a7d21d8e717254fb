"""The steps of Keepa's decoder (`decode.py` is its entry point): lines → responses → pieces → tables.

- `lines.py`: a landed line becomes a response, or is rejected as a whole.
- `parts/`: a product of a response: its header, its rows, its histories and figures.
- `numbers.py`: JSON arrays to numpy arrays, without a Python object per number where the array is valid.
- `pieces.py`: what the steps above collect.
- `assemble.py`, `columns.py`: the collected pieces become sorted, valid, unique Arrow tables.
"""
