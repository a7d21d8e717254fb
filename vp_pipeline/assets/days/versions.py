"""The versions that Dagster keeps with a materialization: of its content, of the code that made it, and of its inputs.

From them the UI reports of each partition that its code has changed since, or that there is other data upstream. Here:
the tags, for assets of every layer alike. Not here: what an asset's code version is (its spec has it, and the layer
decides), and what a changed one leads to.
"""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from vp_pipeline.dagster_internals import tags

# What Dagster takes for the version of data that has none, and for the event of an asset that was never materialized.
_NO_VERSION, _NO_EVENT = "INITIAL", "NULL"


class Versions:
    """The versions of what one step materializes."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._instance = context.instance
        self._specs: Mapping[dg.AssetKey, dg.AssetSpec] = context.assets_def.specs_by_key
        self._inputs: dict[tuple[dg.AssetKey, date], dict[str, str]] = {}

    def of(self, key: dg.AssetKey, day: date, data_version: str | None) -> dict[str, str]:
        """The tags of an asset's materialization on a day. `data_version`: a checksum of its content, where there is
        one."""
        return dict(self._tags(self._specs[key], day, data_version))

    def _tags(self, spec: dg.AssetSpec, day: date, data_version: str | None) -> Iterator[tuple[str, str]]:
        if data_version:
            yield tags.DATA_VERSION, data_version
            yield tags.DATA_VERSION_IS_GIVEN, "true"
        if spec.code_version:
            yield tags.CODE_VERSION, spec.code_version
            # Where Dagster finds a code version it expects the inputs too: without them each would be a new dependency.
            for dependency in spec.deps:
                yield from self._input(dependency.asset_key, day).items()

    def _input(self, key: dg.AssetKey, day: date) -> dict[str, str]:
        """The newest materialization of an input; looked up once, but for an asset of this very step."""
        if key in self._specs or (key, day) not in self._inputs:
            of_day = dg.AssetRecordsFilter(key, asset_partitions=[day.isoformat()])
            newest = next(iter(self._instance.fetch_materializations(of_day, limit=1).records), None)
            found = newest.asset_materialization if newest else None
            version = (found.tags if found else None) or {}
            name = key.to_user_string()
            self._inputs[key, day] = {
                f"{tags.INPUT_DATA_VERSION}/{name}": version.get(tags.DATA_VERSION, _NO_VERSION),
                f"{tags.INPUT_EVENT}/{name}": str(newest.storage_id) if newest else _NO_EVENT,
            }
        return self._inputs[key, day]
