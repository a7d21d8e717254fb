"""The environments, local and production: which implementation of each interface the graph runs on.

Here: from settings to objects. Not here: the implementations, each beside its interface (`lake/`, `airbyte/`,
`warehouse/`, `publishing/`).
"""
