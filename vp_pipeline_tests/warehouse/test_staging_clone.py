"""The statements of docs/production.md that clone production's RAW for staging, on Snowflake's stand-in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
import sqlglot
from sqlglot import exp

from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import PROJECT_ROOT, load_settings
from vp_pipeline.sources.keepa.tables import MONTHLY_SOLD
from vp_pipeline.warehouse.deploy import places
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease.row import LeaseRow
from vp_pipeline.warehouse.snowflake import SnowflakeWarehouse
from vp_pipeline_tests.stand_ins.s3 import s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import SnowflakeStandIn, snowflake_stand_in
from vp_pipeline_tests.test_service_settings import COMPLETE
from vp_pipeline_tests.warehouse.test_duckdb_warehouse import partition

pytestmark = pytest.mark.integration

GUIDE = (PROJECT_ROOT / "docs" / "production.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(r"^```sql\n(create or replace schema.*?|use role accountadmin.*?)^```$", GUIDE, re.S | re.M)
STATEMENTS = [statement.strip() for statement in BLOCK.split(";") if statement.strip()]
ROWS = "select monthly_sold, _run_date from {}.raw.keepa_monthly_sold order by monthly_sold"
STAGING = "VERACITYPRO_STAGING"


@dataclass(frozen=True)
class Both:
    """Production, which holds its lease and has a day in RAW, and staging after the statements and its deployment."""

    snowflake: SnowflakeStandIn
    lakes: tuple[Lake, Lake]
    production: SnowflakeWarehouse
    staging: SnowflakeWarehouse


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with s3_stand_in() as s3, snowflake_stand_in(s3.url) as snowflake:
        stores = s3.new_lake(), s3.new_lake()
        made = Both(
            snowflake,
            (Lake(stores[0]), Lake(stores[1])),
            snowflake.warehouse(),
            snowflake.warehouse(database=STAGING),
        )
        snowflake.deploy(stores[0].url)
        snowflake.deploy(stores[1].url, STAGING)
        load(made.production, made.lakes[0], 1, 2)
        assert LeaseRow(made.production).take(Holder("schedule daily"))
        for statement in STATEMENTS:
            snowflake.administer(statement)
        snowflake.deploy(stores[1].url, STAGING, again=True)
        yield made


def load(warehouse: SnowflakeWarehouse, lake: Lake, *values: int) -> None:
    with warehouse.connect() as session:
        warehouse.load_day(session, lake, {MONTHLY_SOLD: partition(lake, *values)}, datetime(2026, 3, 3))


def test_the_statements_are_snowflakes_and_name_what_is_deployed() -> None:
    production, staging = (
        places(load_settings({**COMPLETE, "VP_DEPLOYMENT": name}, needed=()), "-") for name in ("production", "staging")
    )
    for statement in STATEMENTS:
        parsed = sqlglot.parse_one(statement, dialect="snowflake")
        # sqlglot knows these verbs, and not all of what follows them.
        assert not isinstance(parsed, exp.Command) or statement.startswith(("grant ownership", "alter schema")), (
            statement
        )
    named = set(re.findall(r"\b(\w+)\.raw\b", BLOCK))
    assert named == {production["database"], staging["database"]}
    assert re.findall(rf"{production['database']}\.raw", BLOCK) == [f"{production['database']}.raw"]  # it is only read
    assert set(re.findall(r"to role (\w+)", BLOCK)) == {staging["role"], "sysadmin"}
    assert f"drop stage {staging['database']}.{staging['stage']}" in STATEMENTS
    assert f"drop file format {staging['database']}.{staging['file_format']}" in STATEMENTS


def test_staging_has_what_production_had(both: Both) -> None:
    expected = both.snowflake.query(ROWS.format("veracitypro"))
    assert len(expected) == 2
    assert both.snowflake.query(ROWS.format(STAGING)) == expected


def test_staging_holds_a_lease_of_its_own(both: Both) -> None:
    """Production's, which was cloned with the rest, is of no meaning here; and without a row nobody could take it."""
    lease = LeaseRow(both.staging)
    assert lease.current() is None
    assert lease.take(Holder("vp run"))
    held = LeaseRow(both.production).current()
    assert held is not None
    assert held.launcher == "schedule daily"


def test_staging_loads_from_its_own_lake(both: Both) -> None:
    """Production has a file of the same name."""
    load(both.staging, both.lakes[1], 7, 8, 9)
    assert [value for value, _ in both.snowflake.query(ROWS.format(STAGING))] == [7, 8, 9]
    assert [value for value, _ in both.snowflake.query(ROWS.format("veracitypro"))] == [1, 2]
