"""Generated histories of the sandbox's products: the same on every machine for the same seed.

- `catalogue.py`: the products, and what does not change of them.
- `histories.py`: all histories of one product, from `market.py` (prices, offers, buy box) and `ranks_and_reviews.py`.
- `price_series.py`, `step_functions.py`, `draws.py`: what these are built from, down to the random numbers.
"""
