"""Publications for the dashboard: of green days, and a copy of it in which much is odd."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from vp_pipeline.dashboard.queries import governed
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.publishing.metrics import Metrics
from vp_pipeline.settings import Settings
from vp_pipeline_tests.conftest import GreenDays, pipeline_settings

PRODUCT = "1-B0SBXTWO06"
ARABIC = "غلاية كهربائية زجاجية سعة 1.7 لتر مع *إيقاف* تلقائي [جديد] $5"
Open = Callable[[str], AppTest]


@pytest.fixture(scope="session")
def settings(green_days: GreenDays) -> Settings:
    """Of the folder with two green days of two products; it is only read."""
    return pipeline_settings(green_days.after(2) / "data")


@pytest.fixture(scope="session")
def reader(settings: Settings) -> Reader:
    return reader_of(settings)


@pytest.fixture(scope="session")
def metrics(settings: Settings, reader: Reader) -> Metrics:
    return governed.metrics_of(settings, reader.marts)


def reader_of(settings: Settings) -> Reader:
    """The current publication of a folder."""
    marts = build_environment(settings).build_published_marts()
    publication = marts.current()
    assert publication is not None
    return Reader(marts, publication)


@pytest.fixture
def odd(settings: Settings, tmp_path: Path) -> Settings:
    """A copy of the published file in which much is odd."""
    shutil.copy(settings.published_path, tmp_path / "published.duckdb")
    make_odd(tmp_path / "published.duckdb")
    return pipeline_settings(tmp_path)


def make_odd(file: Path) -> None:
    """An Arabic title with markup and one without end, a price in yen, and a pipeline in which something failed, is
    late and is excluded."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "update mart.dim_product set title = ?, brand = null, currency = 'JPY' where product_key = ?",
            [ARABIC, PRODUCT],
        )
        connection.execute(
            "update mart.dim_product set title = repeat('endless ', 100) where product_key <> ?", [PRODUCT]
        )
        for table in ("fct_price_history_daily", "mart_stock_outs", "mart_deals"):
            connection.execute(f"update mart.{table} set currency = 'JPY' where product_key = ?", [PRODUCT])
        connection.execute(
            "update monitoring.mon_day set is_included = false, is_in_marts = false, "
            "excluded_because = '2 products failed a test' where run_date = "
            "(select min(run_date) from monitoring.mon_day)"
        )
        connection.execute("update monitoring.mon_freshness set days_behind = 2 where asset = 'keepa_rank'")
        connection.execute("update monitoring.mon_pipeline_run set has_succeeded = false, tests_failed = 1")
        connection.execute(
            "update monitoring.mon_test_result set status = 'fail', failing_rows = 7 "
            "where is_newest and test_name = (select min(test_name) from monitoring.mon_test_result where is_newest)"
        )
        connection.execute(
            "insert into monitoring.mon_excluded_answer "
            "select 'keepa', 'product', ?, min(run_date), 'a figure differs' from monitoring.mon_day",
            [PRODUCT],
        )


@pytest.fixture
def open_page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Runs a page of the app as Streamlit does, on a folder; default: the green days."""

    def run(page: str | None, of: Settings = settings) -> AppTest:
        monkeypatch.setenv("VP_DATA_DIR", str(of.data_dir))
        monkeypatch.setenv("VP_SOURCES", "keepa")
        st.cache_data.clear()
        script = f"from vp_pipeline.dashboard.app import main\nmain({page!r})"
        app = AppTest.from_string(script, default_timeout=120).run()
        assert not app.exception, app.exception
        return app

    return run
