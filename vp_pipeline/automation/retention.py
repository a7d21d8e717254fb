"""Retention: what is old and no longer needed, listed first and deleted on request.

Here: the rules, and the job that applies them. Not here: its schedule (`schedules.py`) and the command
(`cli/retention.py`).

- A run of Dagster is eligible for deletion when it has ended, is old enough, and neither a partition's newest
  materialization nor a check's newest result is among its events: deleting a run deletes its events, and Dagster would
  no longer know that the day exists (or that a check of it has failed).
- On the lake: superseded manifests, landed objects that no manifest and no sync record names, and states of exports
  (earlier versions wrote them) before the last one. What a current manifest names is never eligible, however old.
- A message, once it is no longer open.
- A file that a killed process has left half-written: nobody reads it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from vp_pipeline.automation.outboxes import build_outboxes
from vp_pipeline.dagster_internals import run_statuses
from vp_pipeline.dagster_internals.check_records import run_of_newest_result
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.documents import PARTIAL
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.lake import layout
from vp_pipeline.lake.batches import Batch
from vp_pipeline.lake.manifests import BronzeManifest, SyncRecord, read_required
from vp_pipeline.lake.objects import Lake, ObjectInfo
from vp_pipeline.settings import Settings

_PAGE = 500
# No process writes a file for so long: whoever began it was killed.
_HALF_WRITTEN = timedelta(days=1)


@dataclass(frozen=True)
class Removable:
    """Something eligible for deletion: `kind` is run, object, message or file; `name` is which one; `why` is the
    reason."""

    kind: str
    name: str
    why: str
    size: int = 0


@dataclass(frozen=True)
class Retention:
    """The rules of an environment on its lake, outbox and Dagster instance."""

    settings: Settings
    lake: Lake
    boxes: Sequence[Box]

    def removable(self, instance: dg.DagsterInstance, now: datetime | None = None) -> list[Removable]:
        """Everything eligible for deletion at `now`; nothing is changed."""
        now = now or datetime.now(UTC)
        runs = removable_runs(instance, now - timedelta(days=self.settings.keep_runs_days))
        objects = removable_objects(self.lake, now - timedelta(days=self.settings.keep_superseded_days))
        messages = self._messages(now - timedelta(days=self.settings.keep_messages_days))
        return [*runs, *objects, *messages, *half_written_files(self.settings.data_dir, now - _HALF_WRITTEN)]

    def remove(
        self, instance: dg.DagsterInstance, log: Callable[[str], None], now: datetime | None = None
    ) -> list[Removable]:
        """Deletes what `removable` lists, and returns it."""
        now = now or datetime.now(UTC)
        found = self.removable(instance, now)
        for item in found:
            log(f"Deleting {item.kind} {item.name}: {item.why}.")
            if item.kind == "run":
                instance.delete_run(item.name)
            elif item.kind == "object":
                self.lake.delete(item.name)
            elif item.kind == "file":
                (self.settings.data_dir / item.name).unlink(missing_ok=True)
        for box in self.boxes:
            box.forget(now - timedelta(days=self.settings.keep_messages_days))
        return found

    def _messages(self, before: datetime) -> Iterator[Removable]:
        for box in self.boxes:
            for entry in box.entries():
                if not entry.is_open and entry.changed_at < before:
                    why = f"{entry.state} on {entry.changed_at:%Y-%m-%d}"
                    yield Removable("message", f"{box.name}: {entry.key}", why)


class RetentionConfig(dg.Config):
    """`dry_run`: only list what is eligible for deletion."""

    dry_run: bool = True


def retention_job(retention: Retention) -> dg.JobDefinition:
    """Lists what is old and no longer needed; deletes it when `dry_run` is false."""

    @dg.op(name="remove_what_is_old")
    def remove(context: dg.OpExecutionContext, config: RetentionConfig) -> None:
        if config.dry_run:
            found = retention.removable(context.instance)
            for item in found:
                context.log.info(f"Eligible for deletion: {item.kind} {item.name}: {item.why}.")
        else:
            found = retention.remove(context.instance, context.log.info)
        size = sum(item.size for item in found)
        done = "eligible for deletion" if config.dry_run else "deleted"
        context.log.info(f"{len(found)} items {done}, {size:,} bytes.")
        context.add_output_metadata({"items": len(found), "bytes": size, "dry_run": config.dry_run})

    @dg.job(name="retention", description="Deletes what is old and no longer needed. By default it only lists.")
    def retain() -> None:
        remove()

    return retain


def build_retention(settings: Settings) -> Retention:
    """The rules that VP_KEEP_…_DAYS set, on an environment's lake and outboxes."""
    return Retention(settings, build_environment(settings).build_lake(), build_outboxes(settings).all)


def removable_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[Removable]:
    """Runs that ended before a moment and hold no newest result, oldest first."""
    old = dg.RunsFilter(statuses=list(run_statuses.FINISHED), updated_before=before)
    newest: dict[dg.AssetKey, set[str]] = {}
    for record in instance.get_run_records(old, order_by="id", ascending=True):
        run = record.dagster_run
        if not _holds_materialization(instance, run.run_id, newest) and not _holds_check(instance, run.run_id):
            why = f"{run.job_name}, {run.status.value.lower()}, ended {record.update_timestamp:%Y-%m-%d}"
            yield Removable("run", run.run_id, why)


def half_written_files(data_dir: Path, before: datetime) -> Iterator[Removable]:
    """Files in the data folder that were being written at the latest at `before`, and never finished."""
    for file in sorted(data_dir.rglob(f"*{PARTIAL}")):
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        if file.is_file() and written < before:
            why = f"half-written, of a process that was killed on {written:%Y-%m-%d}"
            yield Removable("file", file.relative_to(data_dir).as_posix(), why, file.stat().st_size)


def removable_objects(lake: Lake, before: datetime) -> Iterator[Removable]:
    """Objects older than `before` that nothing current refers to."""
    found = [item for item in _unneeded(lake) if item[0].modified < before.timestamp()]
    for info, why in sorted(found, key=lambda item: item[0].path):
        written = datetime.fromtimestamp(info.modified, UTC)
        yield Removable("object", info.path, f"{why}, written {written:%Y-%m-%d}", info.size)


def _unneeded(lake: Lake) -> Iterator[tuple[ObjectInfo, str]]:
    bronze = lake.list("bronze")
    named: set[str] = set()
    for manifest in layout.BRONZE.among(bronze, lake):
        named |= {item.path for item in read_required(lake, manifest.path, BronzeManifest).objects}
    for sync in layout.SYNC.among(bronze, lake):
        named |= set(read_required(lake, sync.path, SyncRecord).objects)
    for superseded in layout.SUPERSEDED.among(bronze, lake):
        yield superseded.info, "a superseded manifest"
    for landed in layout.LANDED.among(bronze, lake):
        if landed.path not in named:
            yield landed.info, "in no manifest: of a superseded sync, or of one that was killed"
    for rows in _in_no_batch(lake, bronze):
        yield rows, "in no batch: of a process that was killed while it consumed"
    exports = [info for root in layout.EXPORT_ROOTS for info in lake.list(root)]
    newest: dict[str, int] = {}  # number of the last export, by mart: an earlier root has the first ones
    for export in layout.EXPORT.among(exports, lake):
        mart = export.parts["mart"]
        newest[mart] = max(newest.get(mart, 0), export.parts["number"])
    for state in layout.EXPORT_STATE.among(exports, lake):
        # A state beyond the newest manifest is of an export that is being written.
        if state.parts["number"] < newest.get(state.parts["mart"], 0):
            yield state.info, "the state of an export before the last one"


def _in_no_batch(lake: Lake, bronze: Sequence[ObjectInfo]) -> Iterator[ObjectInfo]:
    batches = [read_required(lake, each.path, Batch) for each in layout.BATCH.among(bronze, lake)]
    consumed = {each.path for batch in batches for each in batch.objects}
    yield from (rows.info for rows in layout.BATCH_ROWS.among(bronze, lake) if rows.path not in consumed)


def _holds_materialization(instance: dg.DagsterInstance, run_id: str, newest: dict[dg.AssetKey, set[str]]) -> bool:
    """Whether a run made the newest materialization of some partition. `newest`: those runs by asset, as read."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        key = entry.get_dagster_event().asset_key
        assert key is not None
        if key not in newest:
            newest[key] = set(_newest_runs(instance, key))
        if run_id in newest[key]:
            return True
    return False


def _newest_runs(instance: dg.DagsterInstance, key: dg.AssetKey) -> Iterator[str]:
    """The runs of the newest materialization of each partition of an asset."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    latest = set(instance.event_log_storage.get_latest_storage_id_by_partition(key, kind).values())
    cursor = None
    while True:
        page = instance.fetch_materializations(key, limit=_PAGE, cursor=cursor)
        if cursor is None and page.records:
            yield page.records[0].run_id  # also where the asset has no partitions
        yield from (record.run_id for record in page.records if record.storage_id in latest)
        if not page.has_more:
            return
        cursor = page.cursor


def _holds_check(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run has the newest result of some check of some partition."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation = entry.get_dagster_event().asset_check_evaluation_data
        key = dg.AssetCheckKey(evaluation.asset_key, evaluation.check_name)
        if run_of_newest_result(instance, key, evaluation.partition) == run_id:
            return True
    return False
