"""Stand-in APIs for local work and tests, served over real HTTP on loopback.

Here: one folder an API, and the server around them. Not here: anything that asks an API. Nobody imports this but
the command line, the embedded Airbyte and tests: the rest of the project cannot tell the sandbox from the vendor.
"""
