"""What starts runs besides the schedules, and what ends those that were killed. Everything else than that is off until
someone switches it on.

`landed.py`: syncs of an Airbyte that runs on its own schedule. `bronze.py`: bronze that was materialized on its own.
`undelivered.py`: refreshes and exports that could not be delivered. `marts.py`: marts whose upstream was rebuilt on its
own, by conditions instead of a sensor. `killed.py`: the end of runs whose process is gone.
"""
