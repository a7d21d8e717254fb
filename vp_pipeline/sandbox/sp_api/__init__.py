"""The stand-in for Amazon's order APIs and Login with Amazon.

Here: the orders of the sandbox's world (`orders.py`) in the forms of both API versions (`documents.py`), recorded
answers (`recordings.py`), access tokens and rates (`access.py`), and the APIs around them (`api.py`). Not here: the
products and their prices (`sandbox/world.py`), and the client (`sources/sp_api/`).
"""
