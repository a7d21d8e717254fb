"""Stand-ins for the services that the pipeline delivers to: Slack, Power BI, and an HTTP endpoint for exports.

Here: one module per service, and the server that serves them under one port (`server.py`), with faults that can be
scripted. Not here: the APIs that are ingested (a folder per source beside this one).
"""
