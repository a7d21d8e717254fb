"""Open-Meteo: hourly weather of places, of the archive and, where that is not there yet, of the forecast API.

Here: the variables and their units (`variables.py`), the tables (`tables.py`), the connector's manifest, the settings,
the decoder (`decode.py`, `decoding/`) and the counts over what landed (`inspection.py`). Not here: the stand-in of the
API (`sandbox/open_meteo/`), and which value of an hour counts (dbt).
"""
