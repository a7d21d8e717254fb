"""The dashboard: pages for analysts on what is published, and on nothing else.

Modules: app.py (what Streamlit runs), serve.py (its options), reading.py (the publication as pandas), figures.py
(numbers as people read them), charts.py (charts in colours that the colour-blind can tell apart); `queries/` (plain
functions from the publication to a DataFrame), `views/` (what is shown, a module per page).
"""
