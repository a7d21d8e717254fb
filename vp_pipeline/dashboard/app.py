"""What Streamlit runs: `vp dashboard`. Which pages there are, and which publication they show.

A query's result is kept by the publication that it is of, so a new one shows without a restart, and an old one's
results are dropped as others come. Not here: what a page shows (`views/`).
"""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from vp_pipeline.dashboard import figures, reading
from vp_pipeline.dashboard.queries import governed
from vp_pipeline.dashboard.reading import Parameters, Reader
from vp_pipeline.dashboard.views import lists, metrics, overview, product, quality, sales, weather
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.failures import PipelineError, TransientError
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings, load_settings

# How many results are kept: a page has about ten, none of them more than some thousand rows.
_KEPT = 200
_LOOK_SECONDS = 10


@st.cache_data(ttl=_LOOK_SECONDS, show_spinner=False)
def _current(_marts: PublishedMarts, address: str) -> Publication | None:
    return _marts.current()


@st.cache_data(max_entries=_KEPT, show_spinner="Reading the publication …")
def _rows(_marts: PublishedMarts, address: str, build: str, sql: str, parameters: Parameters) -> pd.DataFrame:
    return reading.fetch(_marts, build, sql, parameters)


def fetch(marts: PublishedMarts, build_id: str, sql: str, parameters: Parameters) -> pd.DataFrame:
    """See `reading.fetch`; answers are kept."""
    return _rows(marts, marts.address, build_id, sql, parameters)


def pages(settings: Settings, reader: Reader) -> list[tuple[str, str, Callable[[], None]]]:
    """Title, address and function of each page that the publication has the tables of, in their order."""
    metrics_of = partial(governed.metrics_of, settings, reader.marts)
    table: tuple[tuple[str, tuple[str, ...], Callable[[], None]], ...] = (
        ("Overview", (), lambda: overview.show(reader, metrics_of())),
        ("Product", ("dim_product", "mart_product_daily"), lambda: product.show(reader)),
        ("Deals", ("mart_deals", "dim_product"), lambda: lists.deals(reader)),
        ("Rank movers", ("mart_rank_movers", "dim_product"), lambda: lists.rank_movers(reader)),
        ("Stock-outs", ("mart_stock_outs", "dim_product"), lambda: lists.stock_outs(reader)),
        ("Profitability", ("mart_profitability", "dim_product"), lambda: lists.profitability(reader)),
        ("Sales beside market", ("mart_sales_vs_market", "dim_product"), lambda: sales.show(reader)),
        ("Weather", ("fct_weather_daily", "dim_location"), lambda: weather.show(reader)),
        ("Data quality", ("mon_day", "mon_test_result"), lambda: quality.show(reader)),
        ("Metrics", (), lambda: metrics.show(reader, metrics_of())),
    )
    return [(title, title.lower().replace(" ", "_"), show) for title, tables, show in table if reader.has(*tables)]


def main(only: str | None = None) -> None:
    """One run of the script: the page that is open. `only`: the address of a page that is shown by itself."""
    st.set_page_config(page_title="VeracityPro", page_icon="📈", layout="wide")
    try:
        settings = load_settings()
        marts = build_environment(settings).build_published_marts()
        publication = _current(marts, marts.address)
        if publication is None:
            st.title("VeracityPro")
            st.info("Nothing is published yet. `vp run` runs the newest finished day; then reload this page.")
            return
        reader = Reader(marts, publication, fetch)
        if only is None:
            _navigate(settings, reader)
        else:
            next(show for _, address, show in pages(settings, reader) if address == only)()
    except TransientError:
        # Another build was published while this page was read: the next run of the script reads that one.
        _current.clear()
        if st.session_state.get("again"):
            raise
        st.session_state["again"] = True
        st.rerun()
    except PipelineError as error:
        st.error(figures.plain(error))
        st.caption("`vp doctor` lists all that is wrong, each with what fixes it.")
    else:
        st.session_state["again"] = False


def _navigate(settings: Settings, reader: Reader) -> None:
    shown = [
        st.Page(show, title=title, url_path=address, default=not number)
        for number, (title, address, show) in enumerate(pages(settings, reader))
    ]
    opened = st.navigation(shown)
    publication = reader.publication
    with st.sidebar:
        st.caption("Publication")
        st.markdown(f"`{publication.build_id}`")
        days = publication.days
        of_days = f"{len(days)} days: {figures.period(days[0], days[-1])}" if days else "No day"
        st.caption(f"Published {publication.published_at:%Y-%m-%d %H:%M} UTC. {of_days.replace('1 days', '1 day')}.")
    opened.run()


if __name__ == "__main__":
    main()
