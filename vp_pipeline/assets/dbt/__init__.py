"""The dbt models as assets, and the search for the days that make their tests fail.

Here: the assets (`models.py`), a build of all models (`whole_build.py`) or of some (`partial_build.py`), one dbt
command of it (`attempts.py`), and what each day shows (`day_reports.py`, `check_outcomes.py`). Not here: running dbt
(`vp_pipeline/dbt/`), and the SQL (`dbt_project/`).
"""
