"""The stand-in for ScraperAPI: product pages from a seed (`pages.py`) or from recordings (`recordings.py`), and its API
(`api.py`)."""
