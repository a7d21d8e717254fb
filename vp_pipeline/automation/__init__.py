"""Everything that runs without a person: jobs, schedules, sensors, notifications, retention, the health report.

Here: one module or folder for each, put together in `definitions.py`. All of it is off until someone switches it on.
Not here: the assets that the jobs materialize, and the services that messages go to (`delivery/`).
"""
