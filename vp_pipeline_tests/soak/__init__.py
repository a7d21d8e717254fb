"""The soak: kills of runs, and of whole deployments, at random moments, and what must be true afterwards.

`python -m vp_pipeline_tests.soak` (`make soak`) does many of them and can be resumed; the slow tests do a few.
"""
