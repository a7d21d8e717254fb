"""ScraperAPI: Amazon's product pages as JSON, each as it is at the moment of the request.

Here: the stream (`source.py`), its connector (`connector.yaml`), the settings, the table (`tables.py`), the
marketplaces and how each writes a price (`marketplaces.py`), the decoder (`decode.py`), and the counts over what landed
(`inspection.py`). Not here: the stand-in for the API (`sandbox/scraperapi/`).
"""
