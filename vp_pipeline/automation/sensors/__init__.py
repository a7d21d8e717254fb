"""What starts runs besides the schedules. Everything here is off until someone switches it on.

`landed.py`: syncs of an Airbyte that runs on its own schedule. `bronze.py`: bronze that was materialized on its own.
`undelivered.py`: refreshes and exports that could not be delivered. `marts.py`: marts whose upstream was rebuilt on its
own, by conditions instead of a sensor.
"""
