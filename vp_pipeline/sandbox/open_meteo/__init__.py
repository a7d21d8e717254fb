"""The stand-in for Open-Meteo: weather from a seed (`weather.py`) or from recordings (`recordings.py`), and its API
(`api.py`, `request.py`)."""
