"""Amazon SP-API: the seller's own orders and their items, by the day of their last update.

Here: the stream (`source.py`), its connector (`connector.yaml`), the tables and their columns (`tables.py`), Amazon's
marketplaces (`marketplaces.py`), the decoder (`decode.py`, its steps in `decoding/`), and what is read from landed
records before decoding (`inspection.py`). Not here: the stand-in for Amazon's API (`sandbox/sp_api/`).

Nothing of a buyer is requested, and nothing of one lands: the connector has the list of what may.
"""
