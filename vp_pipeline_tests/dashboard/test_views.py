"""The pages as Streamlit runs them: each opens on a green, an odd and an empty world, and shows what was read."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from vp_pipeline.dashboard import figures
from vp_pipeline.dashboard.charts import COLOURS
from vp_pipeline.dashboard.queries import governed, lists
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.published import read
from vp_pipeline.publishing.metrics import MetricQuery, Metrics
from vp_pipeline.settings import Settings
from vp_pipeline_tests.conftest import GreenDays, pipeline_settings
from vp_pipeline_tests.dashboard.conftest import ARABIC, PRODUCT

pytestmark = pytest.mark.integration  # the days before it are built with dbt
Open = Callable[..., AppTest]
PAGES = ("overview", "product", "deals", "rank_movers", "stock-outs", "profitability", "data_quality", "metrics")
LAST = GreenDays.DAYS[1]


def texts(app: AppTest) -> str:
    """What a page says, without what keeps Markdown from reading it."""
    elements = (
        *app.title,
        *app.subheader,
        *app.markdown,
        *app.caption,
        *app.info,
        *app.warning,
        *app.success,
        *app.error,
    )
    return re.sub(r"\\(.)", r"\1", "\n".join(str(each.value) for each in elements))


@pytest.mark.parametrize("page", PAGES)
def test_every_number_has_its_unit_its_period_and_its_publication(open_page: Open, reader: Reader, page: str) -> None:
    app = open_page(page)
    assert not app.error
    captions = [re.sub(r"\\(.)", r"\1", str(each.value)) for each in app.caption]
    sources = [text for text in captions if text.startswith("\u2068Unit: ")]
    assert sources
    for text in sources:
        assert re.search(rf"^\u2068Unit: .+\. Period: .+\. Publication: {reader.build}\.\u2069$", text), text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_odd_world(open_page: Open, odd: Settings, page: str) -> None:
    assert open_page(page, odd).title


def test_the_overview_shows_the_metrics(open_page: Open, reader: Reader, metrics: Metrics) -> None:
    shown = {each.label: each.value for each in open_page("overview").metric}
    expected = {
        figures.titled(str(row.title), str(row.unit)): figures.figure(row.now, str(row.unit))
        for row in governed.headlines(reader, metrics, LAST).itertuples()
    }
    assert expected
    assert expected.items() <= shown.items()
    counts = {name.capitalize(): f"{count:,}" for name, count in lists.counts(reader).items()}
    assert counts.items() <= shown.items()


def test_the_overview_shows_what_failed(open_page: Open, odd: Settings) -> None:
    shown = texts(open_page("overview", odd))
    for state in ("late", "excluded", "failed"):
        assert f"**{state}**" in shown
    assert "2 products failed a test" in shown


def test_a_product_is_searched_and_shown(open_page: Open, settings: Settings) -> None:
    app = open_page("product")
    app.text_input(key="search").set_value("no such thing").run()
    assert "No product has" in texts(app)
    app.text_input(key="search").set_value("b0sbxtwo06").run()
    assert not app.exception
    keys = {"1-B0SBXTWO06", "3-B0SBXTWO06"}
    choice = next(box for box in app.selectbox if box.label.startswith("Product ("))
    assert choice.label == "Product (2 found)"
    choice.set_value(PRODUCT).run()
    known = read("dim_product", settings=settings, product_key=list(keys)).set_index("product_key").loc[PRODUCT]
    assert known["title"] in texts(app)
    assert f"prices in {known['currency']}" in texts(app)


def test_a_title_is_shown_as_it_is_and_yen_have_no_places(open_page: Open, odd: Settings) -> None:
    app = open_page("product", odd)
    app.text_input(key="search").set_value("كهربائية").run()
    assert not app.exception
    assert f"\u2068{ARABIC}\u2069" in texts(app)
    assert "prices in JPY" in texts(app)
    chart = _charts(app)[0]
    assert "JPY" in chart
    assert not re.search(r"\d\.\d+ JPY", chart)


def test_the_list_of_deals_is_the_table(open_page: Open, settings: Settings) -> None:
    app, deals = open_page("deals"), read("mart_deals", settings=settings)
    if deals.empty:
        assert "There is no deal now." in texts(app)
        return
    shown = app.dataframe[0].value
    expected = [figures.money(row.price, row.currency) for row in deals.itertuples()]
    assert sorted(shown["price"]) == sorted(expected)


def test_the_page_of_metrics_shows_the_numbers_of_the_command(
    open_page: Open, reader: Reader, metrics: Metrics
) -> None:
    app = open_page("metrics")
    app.selectbox[0].set_value("average_price").run()
    assert not app.exception
    first, last = app.date_input[0].value
    query = MetricQuery(("average_price",), (governed.DAY,), (), first, last, (governed.DAY,), 2_000)
    result = metrics.query(reader.marts, query)
    shown = app.dataframe[0].value
    price, currency = result.columns.index("average_price"), result.columns.index("product__currency")
    expected = [figures.figure(row[price], str(row[currency])) for row in result.rows]
    title = "average_price (the currency beside it)"
    assert list(zip(shown[title], shown["product__currency"], strict=True)) == list(
        zip(expected, [row[currency] for row in result.rows], strict=True)
    )
    assert len(shown) == len(result.rows) > 80


def test_a_metric_that_cannot_be_asked_so_is_explained(open_page: Open) -> None:
    app = open_page("metrics")
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    assert app.dataframe[0].value.shape[0] == 1


def test_charts_have_colours_that_the_colour_blind_can_tell_apart_and_no_whole_table(open_page: Open) -> None:
    chart = _charts(open_page("product"))[0]
    assert all(colour in chart for colour in COLOURS[:2])
    assert len(chart) < 2_000_000


def test_an_empty_world_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    app = open_page(None, pipeline_settings(tmp_path))
    assert "Nothing is published yet. `vp run`" in texts(app)


def test_a_damaged_publication_is_reported_with_what_to_do(open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "published.duckdb").write_bytes(b"buy milk")
    app = open_page(None, pipeline_settings(tmp_path))
    assert "is no publication of this project" in texts(app)
    assert "`vp doctor`" in texts(app)


def test_a_new_publication_shows_without_a_restart(
    open_page: Open, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another build takes the place of the file while the page is open."""
    own = pipeline_settings(tmp_path)
    shutil.copy(settings.published_path, own.published_path)
    app = open_page("overview", own)
    other = tmp_path / "other.duckdb"
    shutil.copy(settings.published_path, other)
    with duckdb.connect(str(other)) as connection:
        connection.execute("update publication.build set build_id = 'another-build'")
        connection.execute("delete from mart.mart_stock_outs")
    other.replace(own.published_path)
    app.run()  # it reads of the new one what it has not kept, and begins again
    from vp_pipeline.dashboard import app as module

    module._current.clear()
    app.run()
    assert "another-build" in texts(app)
    assert {each.label: each.value for each in app.metric}["Open stock-outs"] == "0"


def _charts(app: AppTest) -> list[str]:
    """The charts of a page, as their specifications with their rows."""
    found: list[Any] = app.get("arrow_vega_lite_chart") or app.get("vega_lite_chart")
    return [str(each.proto) for each in found]
