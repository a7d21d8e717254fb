"""The tags of runs and of materializations that Dagster reads and writes, as strings.

They are constants in private modules, and stored with every run, so the strings are the contract: written out, they
need no import. `dagster_internals/test_tags_and_statuses.py` compares them with Dagster's own.
"""

# The partition of a run, or the first and last of a range of them; also what makes a run one of these partitions.
PARTITION = "dagster/partition"
PARTITION_RANGE_START = "dagster/asset_partition_range_start"
PARTITION_RANGE_END = "dagster/asset_partition_range_end"

# What launched a run; a run without any of them was launched by a person.
BACKFILL = "dagster/backfill"
SCHEDULE = "dagster/schedule_name"
SENSOR = "dagster/sensor_name"
AUTOMATION_CONDITION = "dagster/from_automation_condition"

# Retries of a run: which try this is (absent at the first), and whether another one follows a failure ("true").
RETRY_NUMBER = "dagster/retry_number"
WILL_RETRY = "dagster/will_retry"

# Of a materialization: the version of its content, whether that was given ("true") or computed by Dagster, the version
# of the code that made it, and, followed by an asset key, those of its inputs: of their content, and the storage id of
# the event.
DATA_VERSION = "dagster/data_version"
DATA_VERSION_IS_GIVEN = "dagster/data_version_is_user_provided"
CODE_VERSION = "dagster/code_version"
INPUT_DATA_VERSION = "dagster/input_data_version"
INPUT_EVENT = "dagster/input_event_pointer"
