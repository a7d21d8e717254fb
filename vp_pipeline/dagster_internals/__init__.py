"""The one door to what Dagster does not promise: every import of a private module of Dagster's packages is here.

Here: a module for each job that the public API does not do, as functions and types of our own. Not here: anything that
`import dagster as dg` offers. Nobody else imports `dagster._…` (`vp_pipeline_tests/test_layering.py`).

Each module's docstring lists the private names that it imports: why, and the test that fails when a release of Dagster
changes what we need of them. A test compares the lists with the imports. Dagster is pinned exactly, so such a change
comes with an upgrade and never by itself.
"""
