"""The steps of Open-Meteo's decoder (`decode.py` is its entry point): lines → responses → hours → tables.

- `responses.py`: a landed line becomes the response of one place, or is rejected as a whole.
- `hours.py`: its arrays become hours in UTC, in the contract's units.
- `assemble.py`: the rows of all lines become sorted, valid, unique Arrow tables.
"""
