"""The parts of a product, each read into pieces of a table.

- `products.py`: the header, and the order in which the other parts are read.
- `fields.py`: how a single value is read, and the row that several make.
- `states.py`: what a response has of the product's fees, stock, offers and buy box.
- `lists.py`: what a response lists of the product: identifiers, images, variations.
- `histories.py`, `text_histories.py`, `stats.py`: the parts that are arrays.
"""
