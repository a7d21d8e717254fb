"""A fourth source in the rehearsal of production: deployed to Airbyte by the command, then synced, loaded and built by
what was deployed, equal to a local run."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.sources.scraperapi.source import SCRAPERAPI
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.contents import plain_rows
from vp_pipeline_tests.end_to_end.test_command_line import vp, words
from vp_pipeline_tests.end_to_end.test_production import UP_TO_RAW, reasons
from vp_pipeline_tests.end_to_end.test_production_dbt import DBT
from vp_pipeline_tests.stand_ins.production import API_KEY, SECRETS, Production, production

pytestmark = pytest.mark.slow

DAYS = (date(2026, 2, 9), date(2026, 2, 10))
MART = "mart_product_page_daily"
# But the moment of the sync.
COLUMNS = (
    "page_key, observed_date, title, availability, seller, currency, price, list_price, discount, price_before, "
    "price_change, rating, reviews, reviews_added"
)
OVERRIDES = {"export_mart": MART, "chosen_sources": ("scraperapi",)}


def deploy(made: Production, environment: dict[str, str]) -> None:
    """`vp deploy airbyte`; the connection is then what it has made."""
    own = {"SCRAPERAPI_API_KEY": API_KEY, "VP_SCRAPERAPI_PRODUCTS": ",".join(made.products), "VP_SOURCES": "scraperapi"}
    role = ("--aws-role-arn", "arn:aws:iam::123456789012:role/airbyte")
    command = ("deploy", "airbyte", "--region", "eu-central-1", *role, "--apply")
    ran = vp({**environment, **made.variables, **own}, *command)
    assert ran.returncode == 0, ran.stderr
    assert "Set VP_AIRBYTE_CONNECTION_SCRAPERAPI=connections-0" in words(ran.stdout)
    assert API_KEY not in ran.stdout + ran.stderr
    (source,), (connection,) = made.airbyte.made["sources"], made.airbyte.made["connections"]
    assert connection["namespaceFormat"] == "scraperapi"
    assert [stream["name"] for stream in connection["configurations"]["streams"]] == ["product_page"]
    (connector,) = made.airbyte.made["declarative_sources"]
    assert connector["manifest"]["streams"][0]["name"] == "product_page"
    deployed = source["configuration"]
    assert {**deployed, "base_url": ""} == {**made.configuration(), "base_url": ""}
    made.airbyte.serve(SCRAPERAPI, {**deployed, "api_key": "**********"})


def test_it_is_deployed_and_runs_in_production_as_locally(tmp_path: Path, environment: dict[str, str]) -> None:
    with (
        production(tmp_path / "production", products=9, source=SCRAPERAPI, **OVERRIDES) as made,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        deploy(made, environment)
        settings = pipeline_settings(tmp_path / "local", scraperapi_products=tuple(made.products), **OVERRIDES)
        local = Pipeline(settings, instance)
        for day in DAYS:
            for selection in (UP_TO_RAW, DBT):
                result = made.materialize(selection, day)
                assert result.success, reasons(result)
                assert local.materialize(selection, day).success
        asked = f"select {COLUMNS} from published.{MART}"
        expected = plain_rows(local.query, asked.replace("published", "mart"))
        found = plain_rows(made.snowflake.query, asked)
        assert found == expected
        assert len(found) == len(DAYS) * len(made.products)
        stored = "".join(str(each) for run in made.instance.get_runs() for each in made.instance.all_logs(run.run_id))
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        for secret in SECRETS:
            assert secret not in stored
            assert secret.encode() not in kept
