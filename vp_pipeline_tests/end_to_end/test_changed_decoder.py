"""A changed decoder: after the next green run every day is as a build from nothing with the new code makes it."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.compute as pc
import pytest

import vp_pipeline.build
from vp_pipeline.lake import bronze, decoded_days
from vp_pipeline.planning.report import plan_of
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.quality.gate import current_failures
from vp_pipeline.sources.decoder_code import DecoderCode
from vp_pipeline.sources.keepa import decode as decoder
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_settings

pytestmark = pytest.mark.slow

ONE, TWO, THREE, _ = GreenDays.DAYS
_DECODE = decoder.decode  # edits may be nested


@contextmanager
def edited(name: str, *, stops_after: int | None = None) -> Iterator[list[None]]:
    """The decoder with another fingerprint, which ends the titles of products with `name`. Yields one element per day
    that it has decoded; the day after `stops_after` days ends the run in the middle."""
    decoded: list[None] = []

    def other(lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
        if len(decoded) == stops_after:
            raise SystemError("the power is cut")
        decoded.append(None)
        found = _DECODE(lines, not_before)
        rows = found["product"].rows
        titles = pc.binary_join_element_wise(rows["title"], name, " ")  # type: ignore[attr-defined]
        rows = rows.set_column(rows.schema.get_field_index("title"), rows.schema.field("title"), titles)
        product = found["product"]
        retitled = Decoded(product.table, product.records_in, rows, product.duplicates, product.quarantined)
        return {**found, "product": retitled}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder, "decode", other)
        patch.setitem(PRODUCT.__dict__, "code", DecoderCode({}, {}, name))
        yield decoded


def pipeline_in(folder: Path) -> Pipeline:
    return Pipeline(pipeline_settings(folder, keepa_asins=GreenDays.PRODUCTS), dg.DagsterInstance.ephemeral())


def run(pipeline: Pipeline, *days: date) -> None:
    report = pipeline.run(*days)
    assert report.succeeded, report.reasons


@pytest.fixture
def pipeline(green_days: GreenDays, tmp_path: Path) -> Pipeline:
    """A pipeline that has run two days with the decoder as it is, without Dagster's records of them."""
    shutil.copytree(green_days.after(2) / "data", tmp_path / "data")
    return pipeline_in(tmp_path / "data")


@pytest.fixture
def fresh(green_days: GreenDays) -> Callable[..., Pipeline]:
    """A pipeline that has run these days from nothing, with the decoder edited to `v2`; for reading."""

    def build(*days: date) -> Pipeline:
        def make(folder: Path) -> None:
            with edited("v2"):
                run(pipeline_in(folder), *days)

        return pipeline_in(green_days.made_once(f"decoded_by_v2_{'_'.join(map(str, days))}", make))

    return build


def parquet(pipeline: Pipeline) -> dict[str, bytes]:
    return {path: content for path, content in pipeline.lake_contents("silver").items() if path.endswith(".parquet")}


def included_days(pipeline: Pipeline) -> tuple[date, ...]:
    found = PublishedMarts(DuckDBPublishedFile(pipeline.settings.data_dir / "published.duckdb")).current()
    assert found is not None
    return tuple(found.days)


def require_equal(pipeline: Pipeline, expected: Pipeline) -> None:
    found, wanted = pipeline.contents(), expected.contents()
    assert found.keys() == wanted.keys()
    for table, rows in wanted.items():
        assert found[table] == rows, table
    assert parquet(pipeline) == parquet(expected)
    assert included_days(pipeline) == included_days(expected)


def test_the_next_run_restates_every_day(pipeline: Pipeline, fresh: Callable[..., Pipeline]) -> None:
    with edited("v2") as decoded:
        assert decoded_days.stale_days(pipeline.lake, PRODUCT) == [ONE, TWO]
        run(pipeline, THREE)
        assert len(decoded) == 3
        require_equal(pipeline, fresh(ONE, TWO, THREE))
        assert {str(day) for day in (ONE, TWO, THREE)} == set(
            pipeline.instance.get_materialized_partitions(dg.AssetKey(["silver", "keepa", "price"]))
        )
        run(pipeline, THREE)
        assert len(decoded) == 4


def test_a_run_that_is_killed_is_finished_by_the_next_one(pipeline: Pipeline, fresh: Callable[..., Pipeline]) -> None:
    with edited("v2", stops_after=1):
        assert not pipeline.run(THREE).succeeded
        assert decoded_days.stale_days(pipeline.lake, PRODUCT) == [TWO]
        assert included_days(pipeline) == (ONE, TWO)
    with edited("v2") as decoded:
        run(pipeline, THREE)
        assert len(decoded) == 2
        require_equal(pipeline, fresh(ONE, TWO, THREE))


def test_a_killed_restatement_that_is_reverted_leaves_nothing_of_it(pipeline: Pipeline, tmp_path: Path) -> None:
    before = pipeline.contents()
    with edited("v2", stops_after=1):
        assert not pipeline.run(TWO).succeeded
    run(pipeline, TWO)
    assert pipeline.contents() == before


def test_manifests_and_loads_of_before_decoders_were_recorded(pipeline: Pipeline) -> None:
    before = pipeline.contents(), parquet(pipeline)
    for path, content in pipeline.lake_contents("silver").items():
        if "/_manifests/" in path:
            document = json.loads(content)
            del document["decoder"], document["version"]
            pipeline.lake.write(path, json.dumps(document).encode())
    pipeline.lake.delete(decoded_days.record_path(PRODUCT))
    with duckdb.connect(str(pipeline.settings.warehouse_path)) as connection:
        connection.execute("alter table raw._loads drop column decoder; drop table raw._schema_version")
    run(pipeline, TWO)
    assert (pipeline.contents(), parquet(pipeline)) == before
    assert decoded_days.stale_days(pipeline.lake, PRODUCT) == []
    assert pipeline.query("select distinct decoder from raw._loads") == [(PRODUCT.code.own,)]


def test_refusing_writes_nothing_and_names_the_way_on(pipeline: Pipeline) -> None:
    pipeline.settings = pipeline.settings.model_copy(update={"on_code_change": "refuse"})
    run(pipeline, TWO)
    before = pipeline.contents(), pipeline.lake_contents("silver")
    with edited("v2"):
        report = pipeline.run(TWO)
    assert not report.succeeded
    assert "VP_ON_CODE_CHANGE is `refuse`: the decoder of keepa/product." in report.reasons[-1]
    assert "`vp plan --apply` does it: 2 days of keepa/product from bronze" in report.reasons[-1]
    assert (pipeline.contents(), pipeline.lake_contents("silver")) == before


def test_raw_alone_does_not_load_what_other_code_decoded(pipeline: Pipeline) -> None:
    before = pipeline.contents()
    with edited("v2"):
        assert not pipeline.materialize("key:raw/*", TWO).success
        assert pipeline.contents() == before
        assert pipeline.materialize("key:silver/*", TWO).success
        assert not pipeline.materialize("key:stg/* or key:core/* or key:mart/* or key:monitoring/*", TWO).success
        assert pipeline.contents() == before
        assert pipeline.materialize("key:raw/*", TWO).success
    titles = {str(title)[-3:] for (title,) in pipeline.query("select distinct title from raw.keepa_product")}
    assert titles == {" v2"}


def damaged(pipeline: Pipeline, day: date) -> Callable[[], None]:
    """Damages a day of bronze; returns what repairs it."""
    manifest = bronze.read_manifest(pipeline.lake, PRODUCT, day)
    assert manifest is not None
    path = manifest.objects[0].path
    content = pipeline.lake.read(path)
    pipeline.lake.write(path, b"damaged")
    return lambda: pipeline.lake.write(path, content)


def checks_failed(pipeline: Pipeline, day: date) -> set[str]:
    definitions = vp_pipeline.build.build_definitions(pipeline.settings)
    checks = list(definitions.resolve_asset_graph().asset_check_keys)
    failures = current_failures(pipeline.instance, checks, day.isoformat())
    return {check.asset_key.path[0] for check in failures}


@pytest.mark.exhaustive
def test_a_day_that_cannot_be_decoded_again_is_excluded_alone(
    pipeline: Pipeline, fresh: Callable[..., Pipeline]
) -> None:
    repair = damaged(pipeline, ONE)
    with edited("v2"):
        for _ in range(2):  # the run that finds it, and every one after it
            report = pipeline.run(THREE)
            assert not report.succeeded
            assert f"{ONE}  delivery/" in report.reasons[-1]
            assert "of silver/keepa/product has failed" in report.reasons[-1]
            assert included_days(pipeline) == (TWO, THREE)
        plan = plan_of(pipeline.settings, pipeline.warehouse, pipeline.lake)
        assert (plan.is_empty, plan.not_restated) == (True, {"keepa/product": (ONE,)})
        expected = fresh(TWO, THREE).contents()
        found = pipeline.contents()
        for table in (t for t in expected if not t.startswith("raw.")):
            assert found[table] == expected[table], table
        assert checks_failed(pipeline, ONE) == {"silver"}
        assert checks_failed(pipeline, TWO) == checks_failed(pipeline, THREE) == set()
        assert decoded_days.stale_days(pipeline.lake, PRODUCT) == [ONE]

        repair()
        run(pipeline, THREE)
        assert checks_failed(pipeline, ONE) == set()
        require_equal(pipeline, fresh(ONE, TWO, THREE))


# A day that cannot be decoded, and a restatement that is reverted, are above each on its own; here both at once.
@pytest.mark.exhaustive
def test_reverting_the_decoder_leaves_such_a_day_to_its_repair(pipeline: Pipeline) -> None:
    """Its silver is of the present code again; its check is red, and so it stays excluded until it passes."""
    before = pipeline.contents()
    repair = damaged(pipeline, ONE)
    with edited("v2"):
        assert not pipeline.run(TWO).succeeded
    assert not pipeline.run(TWO).succeeded
    assert included_days(pipeline) == (TWO,)
    assert checks_failed(pipeline, ONE) == {"silver"}
    repair()
    run(pipeline, ONE)
    assert included_days(pipeline) == (ONE, TWO)
    assert pipeline.contents() == before
