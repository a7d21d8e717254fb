"""The steps of Keepa's decoder (`decode.py` is its door): lines → answers → pieces → tables.

- `lines.py`: a landed line becomes an answer, or is rejected as a whole.
- `products.py`: a product of an answer: its header, its `product` row, and its parts.
- `histories.py`, `stats.py`: the parts that are arrays.
- `numbers.py`: JSON arrays to numpy arrays, without a Python object a number where the array is sound.
- `pieces.py`: what the steps above collect.
- `assemble.py`, `columns.py`: the collected pieces become sorted, valid, unique Arrow tables.
"""
