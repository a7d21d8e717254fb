"""VeracityPro pipeline: an asset graph for Amazon-marketplace analytics.

`definitions.py` is the code location, `build.py` puts the graph together; `docs/architecture.md` shows the layout.
"""
