"""Stand-in APIs for local work and tests, served over real HTTP on loopback.

Here: one folder per API, and the server around them. Not here: any client of an API. Only the command line, the
embedded Airbyte and tests import this: for the rest of the project the sandbox looks like the vendor.
"""
