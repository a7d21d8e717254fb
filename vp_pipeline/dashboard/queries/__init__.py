"""What the pages show, as DataFrames: plain functions of a `Reader`, without Streamlit. SQL that DuckDB and Snowflake
both take; a published table is named in braces.

Modules: overview.py, products.py, lists.py (deals and the like), sales.py, weather.py, quality.py,
governed.py (the metrics).
"""
