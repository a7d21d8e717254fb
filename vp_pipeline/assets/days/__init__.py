"""The days of a run: each is built, checked and recorded on its own, so a bad day stops no other.

Here: the order of things (`flow.py`), which days may be built (`admission.py`), what is recorded of each (`report.py`,
`events.py`), and which days failed (`problems.py`). Not here: any layer's own work.
"""
