"""Keepa: products with their price, rank, review, offer and buy-box histories.

Here: the stream (`source.py`), its connector (`connector.yaml`), the tables and their columns (`tables/`), Keepa's
series and marketplaces (`series.py`), the decoder (`decode.py`, its steps in `decoding/`), and what is read from landed
responses before decoding (`inspection.py`). Not here: the stand-in for Keepa's API (`sandbox/keepa/`).
"""
