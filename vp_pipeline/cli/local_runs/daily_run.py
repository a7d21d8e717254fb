"""One run of the daily job in this process, and the days that need another one."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date

import dagster as dg

from vp_pipeline.assets.dbt.models import MODELS
from vp_pipeline.assets.exclusive import process_tags
from vp_pipeline.assets.keys import INTAKES
from vp_pipeline.automation.jobs import DAILY
from vp_pipeline.dagster_internals.run_execution import create_run, execute
from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import partition_tags
from vp_pipeline.settings import PROJECT_ROOT


def daily_run(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    days: Sequence[date],
    *,
    resync: bool = False,
    full_refresh: bool = False,
    tags: Mapping[str, str] | None = None,
    selection: Set[dg.AssetKey] | None = None,
) -> tuple[str, Iterator[dg.DagsterEvent]]:
    """One run of the daily job over `days` (consecutive, in order): its id, and its events as they happen. `selection`:
    these of its assets only. `full_refresh`: its models are built as a whole.

    The run executes in this process as the events are taken. It belongs to the code location, so that the UI can show,
    compare and re-execute it.

    Raises:
        PermanentError: a full refresh of no model.
    """
    job = definitions.resolve_job_def(DAILY)
    if selection is not None:
        job = job.get_subset(asset_selection=set(selection))
    nodes = {node.name for node in job.nodes}
    if full_refresh and MODELS not in nodes:
        raise PermanentError("--full-refresh builds models as a whole, and no model is selected: select some, or all.")
    config = {name: {"config": {"resync": resync}} for name in nodes if name.partition("_")[0] in INTAKES}
    if MODELS in nodes:
        config[MODELS] = {"config": {"full_refresh": full_refresh}}
    run = create_run(
        instance,
        job,
        PROJECT_ROOT / "workspace.yaml",
        run_config={
            # Events go to the instance, where the UI reads them; on the console they would bury the report.
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            "ops": config,
        },
        tags={**partition_tags(days), **process_tags(), **(tags or {})},
        selection=selection,
    )
    return run.run_id, execute(instance, job, run)


def failed_days(instance: dg.DagsterInstance, definitions: dg.Definitions, days: Sequence[date]) -> list[date]:
    """The days for which some asset's newest run failed before it finished, as the UI counts them, in order."""
    graph = definitions.resolve_asset_graph()
    keys = [day.isoformat() for day in days]
    failed: set[str] = set()
    for node in graph.asset_nodes:
        if node.is_materializable and node.partitions_def is not None:
            statuses = instance.get_status_by_partition(node.key, keys, node.partitions_def) or {}
            failed |= {key for key, status in statuses.items() if status == dg.AssetPartitionStatus.FAILED}
    return [day for day in days if day.isoformat() in failed]
