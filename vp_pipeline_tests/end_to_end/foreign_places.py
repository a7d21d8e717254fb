"""A data folder in which every file that the project reads again is there, and who reads each.

Here: values for `test_foreign_files.py`. The files are written by the code that writes them, without a pipeline.
"""

import dataclasses
import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import orjson
import pyarrow as pa

from vp_pipeline.airbyte.batches import UnfinishedSync, read_unfinished, unfinished_path
from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.airbyte.remote_jobs import RunningSync, running_path
from vp_pipeline.automation.retention import removable_objects
from vp_pipeline.automation.sensors.landed import Position, landed_since
from vp_pipeline.dbt.results import results
from vp_pipeline.delivery import change_export, export_endpoint
from vp_pipeline.delivery.lake_journal import LakeJournal
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake import batches, bronze, silver, unanswered
from vp_pipeline.lake.answers import doubts
from vp_pipeline.lake.batches import Batch
from vp_pipeline.lake.decoded_days import restating, stale_days
from vp_pipeline.lake.layout import PLACES
from vp_pipeline.lake.manifests import LoadedDays, read_document, verified
from vp_pipeline.lake.objects import Lake
from vp_pipeline.lake.quarantine import quarantined
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.quality import monitoring
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline.sources.landed import Decoded, Rejected
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.missing_days import missing_days, record_loaded, record_path
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.lake.syncs import record_sync
from vp_pipeline_tests.publishing.marts import TABLES, publish_mart, publisher_in, warehouse_in

DAY = date(2026, 3, 1)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
MART = "mart_deals"
TABLE = PRODUCT.tables[0]
PARTS = {
    "source": "keepa",
    "stream": "product",
    "table": TABLE.name,
    "mart": MART,
    "root": "change_exports",
    "day": DAY,
    "job": 1,
    "number": 2,
    "kind": "parquet",
    "object": "2026_03_01_2_0",
    "box": "slack",
    "beside": "set_aside",
    "topic": "orders",
    "partition": 0,
    "first": 0,
    "end": 1,
}
Read = Callable[[], object]
Value = TypeVar("Value")


@dataclasses.dataclass(frozen=True)
class Folder:
    """A data folder."""

    root: Path

    @property
    def lake(self) -> Lake:
        return Lake(self.root / "lake")

    def fill(self) -> None:
        """Writes every file once."""
        lake = self.lake
        for job in (1, 2):
            landed = f"bronze/keepa/product/2026_03_01_{job}_0.jsonl.gz"
            lake.write(landed, gzip.compress(b'{"_airbyte_data": {}}\n'))
            record_sync(lake, DAY, [landed], job_id=job)
            bronze.land(lake, PRODUCT, DAY)
        running = RunningSync(
            job_id=1, connection="c", source=PRODUCT.source, stream=PRODUCT.name, run_date=DAY, request=None
        )
        lake.write(running_path(PRODUCT, DAY), running.to_bytes())
        unfinished = UnfinishedSync(
            source=PRODUCT.source, stream=PRODUCT.name, run_date=DAY, job_id=1, fingerprint="f", refused={}
        )
        lake.write(unfinished_path(PRODUCT, DAY), unfinished.to_bytes())
        unanswered.record(lake, PRODUCT, DAY, {"1:B0SBXTWO06": DAY})
        nothing = doubts.Doubts(
            source=PRODUCT.source, stream=PRODUCT.name, excluded_days={}, excluded_answers={}, incomplete={}
        )
        doubts.write(lake, PRODUCT, nothing)
        lake.write("bronze/keepa/_origin", b"stand-in")
        self._consume()
        rejected = Rejected(table=TABLE.name, reason="r", record="{}", source_object="o", source_line=1, entity=None)
        with restating(lake, PRODUCT):
            for table in PRODUCT.tables:
                rows = pa.Table.from_pylist([], schema=table.schema)
                decoded = Decoded(table, 1, rows, 0, (dataclasses.replace(rejected, table=table.name),))
                silver.write(lake, decoded, DAY, bronze="b", decoder=PRODUCT.code.own)
        lake.write(record_path(PRODUCT), LoadedDays(contents="c").to_bytes())
        for number, price in enumerate((1, 2, 2), start=1):
            publisher = publish_mart(self.root, number, MART, pa.table({"asin": ["a"], "price": [price]}), ["asin"])
            self.export()
        lake.write(PLACES["EXPORT_STATE"].path(**PARTS), b"x")  # of an earlier version
        export_endpoint._remember(lake, MART, export_endpoint._Posted(sequence=1))
        publisher.roll_back()
        (self.root / "warehouse.duckdb.wal").touch()
        Box(self.root / "outbox" / "slack.jsonl").put("a", {"text": "x"}, NOW)
        self.shared_box().put("a", {"text": "x"}, NOW)
        self._set_aside()
        LeaseFile(self.root).take(Holder("vp run", process=dataclasses.replace(Holder("x").process, pid=2)))
        pending = self.root / "dbt" / "monitoring_pending"
        pending.mkdir(parents=True)
        (self.root / "dbt" / "run_results.json").write_bytes(orjson.dumps({"results": []}))
        invocation = monitoring.Invocation("run", ("2026-03-01",), {}, (), (), "2026-03-02", "2026-03-02", 1.0)
        (pending / "run-2026-03-01.json").write_bytes(orjson.dumps(dataclasses.asdict(invocation)))

    def _consume(self) -> None:
        batch = Batch(
            source=PRODUCT.source, stream=PRODUCT.name, topic="orders", partition=0, first=0, end=1, number=1,
            consumed_at=NOW, objects=(), tail=None, lost=False,
        )  # fmt: skip
        batches.write(self.lake, batch, {DAY: b"{}\n"})
        batches.record_filed(self.lake, PRODUCT, batches.filed(self.lake, PRODUCT))

    def shared_box(self) -> Box:
        """The outbox as production has it."""
        return Box(LakeJournal(self.lake, PLACES["OUTBOX"].path(box="slack")))

    def _set_aside(self) -> None:
        LakeJournal(self.lake, PLACES["OUTBOX"].path(box="slack")).set_aside(b"buy milk\n", "has 1 line.")

    def export(self) -> None:
        change_export.export(self.lake, MART, ["asin"], publisher_in(self.root).marts)

    def lake_readers(self) -> dict[str, Read]:
        """Who reads each place of the lake; a place that nobody reads is listed only."""
        lake, settings = self.lake, pipeline_settings(self.root)
        return {
            "LANDED": lambda: [*bronze.lines_of(lake, _required(bronze.read_manifest(lake, PRODUCT, DAY)))],
            "ORIGIN": lambda: LocalAirbyte(settings, lake).refuse_mixing(KEEPA),
            "SYNC": lambda: landed_since(lake, [PRODUCT], Position(0, ""), LATER, 10),
            "RUNNING_SYNC": lambda: read_document(lake, running_path(PRODUCT, DAY), RunningSync),
            "UNFINISHED_SYNC": lambda: read_unfinished(lake, PRODUCT, DAY, "f"),
            "BRONZE": lambda: [*removable_objects(lake, NOW)],
            "DOUBTS": lambda: doubts.read(lake, PRODUCT),
            "UNANSWERED": lambda: unanswered.before(lake, PRODUCT, DAY + ONE_DAY),
            "SUPERSEDED": lambda: bronze.days(lake, PRODUCT),
            "BATCH_ROWS": lambda: batches.objects_at(lake, [lake_path("BATCH_ROWS")]),
            "BATCH": lambda: batches.last_batches(lake, PRODUCT, "orders"),
            "FILED": lambda: batches.filed(lake, PRODUCT),
            "SILVER_ROWS": lambda: [*verified(lake, silver.read_manifest(lake, TABLE, DAY).objects, "Run it again.")],
            "SILVER": lambda: [silver.read_manifest(lake, TABLE, day) for day in silver.days(lake, TABLE)],
            "DECODED": lambda: stale_days(lake, PRODUCT),
            "LOADED": self._missing_days,
            "QUARANTINE": lambda: [*quarantined(lake)],
            "EXPORT_ROWS": lambda: change_export.changed_rows(lake, _required(change_export.newest(lake, MART))),
            "EXPORT_STATE": lambda: [*removable_objects(lake, NOW)],
            "EXPORT": lambda: change_export.newest(lake, MART),
            "EXPORTED": self.export,
            "OUTBOX": lambda: self.shared_box().put("b", {"text": "y"}, NOW),
            "OUTBOX_BESIDE": self._set_aside,
            "POSTED": lambda: export_endpoint._posted(lake, MART),
        }

    def readers(self) -> dict[str, tuple[str, Read]]:
        """Of each pattern in `data_folder.READ`, one file and who reads it."""
        box, publisher = Box(self.root / "outbox" / "slack.jsonl"), publisher_in(self.root)
        publications = sorted((self.root / "published").glob("*.duckdb"))
        dbt = self.root / "dbt"
        return {
            "warehouse.duckdb": ("warehouse.duckdb", self._open_warehouse),
            "warehouse.duckdb.wal": ("warehouse.duckdb.wal", self._open_warehouse),
            "published.duckdb": ("published.duckdb", publisher.marts.current),
            "published/*.duckdb": (f"published/{publications[0].name}", publisher.kept),
            "published/rolled_back.json": ("published/rolled_back.json", publisher.rolled_back_from),
            "outbox/*.jsonl": ("outbox/slack.jsonl", lambda: box.put("b", {"text": "y"}, NOW)),
            "lease.json": ("lease.json", lambda: LeaseFile(self.root).current()),
            "dbt/run_results.json": ("dbt/run_results.json", lambda: results(dbt)),
            "dbt/monitoring_pending/*.json": (
                "dbt/monitoring_pending/run-2026-03-01.json",
                lambda: monitoring._waiting(dbt / "monitoring_pending" / "run-2026-03-01.json"),
            ),
        }

    def _open_warehouse(self) -> None:
        with warehouse_in(self.root).connect() as connection:
            for table in TABLES:
                connection.execute(f"select sum(i) from {table}").fetchall()

    def _missing_days(self) -> None:
        with warehouse_in(self.root).connect() as connection:
            missing_days(connection, self.lake, PRODUCT, [])
            record_loaded(connection, self.lake, PRODUCT)


def lake_path(name: str) -> str:
    """The object of a place that is replaced."""
    return PLACES[name].path(**PARTS)


def _required(value: Value | None) -> Value:
    assert value is not None
    return value
