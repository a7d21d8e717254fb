"""Syncs that an Airbyte on a schedule of its own has finished: their days are run."""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import orjson

from vp_pipeline.assets.keys import intake_key
from vp_pipeline.automation.jobs import LANDED, from_bronze, requests_data, run_request
from vp_pipeline.dagster_internals import run_statuses
from vp_pipeline.dagster_internals.errors import recorded_as_sentence
from vp_pipeline.failures import PipelineError
from vp_pipeline.lake import bronze, layout
from vp_pipeline.lake.manifests import SyncRecord, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import days_between, days_of
from vp_pipeline.sources.source import Stream

PER_TICK = 10
# An object store records times in seconds, by its own clock: an object that appears next may still sort before one of
# the last seconds.
SETTLING = timedelta(seconds=15)


@dataclass(frozen=True, order=True)
class Position:
    """A place in the order of sync records: when the object was written (unix seconds), then its path."""

    modified: float
    path: str

    @classmethod
    def read(cls, cursor: str | None) -> "Position":
        """The cursor's place; without a cursor, before everything: what landed before is looked at once, and what
        bronze holds already starts nothing."""
        return cls(*orjson.loads(cursor)) if cursor else cls(0.0, "")

    @property
    def text(self) -> str:
        return orjson.dumps([self.modified, self.path]).decode()


@dataclass(frozen=True)
class Landed:
    """A finished sync and its place in the order."""

    at: Position
    stream: Stream
    sync: SyncRecord


def landed_since(
    lake: Lake, streams: Sequence[Stream], position: Position, now: datetime, limit: int
) -> tuple[list[Landed], Position]:
    """Finished syncs after `position` that bronze does not hold, at most `limit`, in order; and how far was looked.

    A sync is complete when its record is there: the record is written last, and names its objects. Objects without one
    (of a sync that is still running, or was killed) are not looked at.
    """
    stable = (now - SETTLING).timestamp()
    found = sorted(
        (
            (Position(each.info.modified, each.path), stream)
            for stream in streams
            for each in layout.SYNC.objects(lake, source=stream.source, stream=stream.name)
            if each.info.modified <= stable
        ),
        key=lambda item: item[0],
    )
    taken: list[Landed] = []
    for at, stream in found:
        if at <= position:
            continue
        if len(taken) == limit:
            break
        position = at
        sync = read_document(lake, at.path, SyncRecord)
        manifest = bronze.read_manifest(lake, stream, sync.run_date) if sync else None
        if sync is not None and (manifest is None or manifest.sync != sync):
            taken.append(Landed(at, stream, sync))
    return taken, position


def landed_sensor(
    lake: Lake, streams: Sequence[Stream], start: date, freshness: dg.AssetChecksDefinition
) -> dg.SensorDefinition:
    """Runs the days of syncs that no other run has picked up."""

    # A sensor, since the lake is outside of Dagster: nothing there is an event that a condition could look at. The
    # cursor is a time and a path, not a list of what was seen, so it stays small however long Airbyte runs.
    @dg.sensor(
        name="landed_syncs",
        job_name=LANDED,
        minimum_interval_seconds=60,
        description="Runs the days that an Airbyte on its own schedule has landed. Only complete syncs count.",
    )
    @recorded_as_sentence(PipelineError)
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        begun = Position.read(context.cursor)
        found, position = landed_since(lake, streams, begun, datetime.now(UTC), PER_TICK)
        syncing = _syncing(context.instance, streams)
        by_day: defaultdict[date, list[Landed]] = defaultdict(list)
        for item in found:
            if item.sync.run_date in syncing:
                # That run lands it itself. It is looked at again when the run has ended: the cursor stays before it.
                position = min(position, Position(item.at.modified, ""))
            elif item.sync.run_date >= start:
                by_day[item.sync.run_date].append(item)
        context.update_cursor(max(position, begun).text)
        if not by_day:
            return dg.SkipReason("No finished sync has landed that bronze does not hold.")
        assert context.repository_def is not None
        requests = []
        for day, items in sorted(by_day.items()):
            landed = [*{each.stream.unit: each.stream for each in items}.values()]
            selected = from_bronze(landed, freshness, include_bronze=True)
            # One run per day, of those of its streams that have landed. The same syncs give the same key, so it is
            # made once.
            syncs = " ".join(sorted(f"{item.stream.source}/{item.stream.name}:{item.sync.job_id}" for item in items))
            key, tags = f"{day} {syncs}", {"vp/syncs": syncs}
            requests.append(run_request(context.repository_def, selected, key, day.isoformat(), tags))
        return dg.SensorResult(requests)

    return watch


def _syncing(instance: dg.DagsterInstance, streams: Sequence[Stream]) -> Set[date]:
    """The days of runs in progress that sync by themselves."""
    keys = {intake_key(stream) for stream in streams}
    days: set[date] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=list(run_statuses.IN_PROGRESS))):
        partitions = days_of(run.tags)
        # Without a selection it is all of its job.
        syncs = requests_data(run.job_name) if run.asset_selection is None else run.asset_selection & keys
        if partitions and syncs:
            first, last = (date.fromisoformat(day) for day in partitions)
            days |= set(days_between(first, last))
    return days
