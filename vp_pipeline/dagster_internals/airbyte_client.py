"""dagster-airbyte's client of Airbyte's API.

Public are its resources, which try every refusal again and hide Airbyte's reason.

Private names:

- `AirbyteClient`: requests, sign-in and paging; `vp_pipeline/airbyte/api.py` extends it.
  Guard: `airbyte/test_remote_airbyte.py::test_a_sync_is_filed_with_its_objects`
"""

from dagster_airbyte.resources import AirbyteClient as AirbyteClient
