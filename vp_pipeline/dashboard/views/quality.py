"""How far the publication can be trusted."""

import streamlit as st

from vp_pipeline.dashboard import charts, figures
from vp_pipeline.dashboard.queries import quality
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts
from vp_pipeline.sources.registry import SOURCES


def show(reader: Reader) -> None:
    st.title("Data quality")
    _days(reader)
    _checks(reader)
    _reconciliation(reader)
    _excluded(reader)
    _freshness(reader)
    _models(reader)


def _days(reader: Reader) -> None:
    st.subheader("Days and layers")
    found = quality.days(reader)
    if found.empty:
        st.info("There is no day yet.")
        return
    st.altair_chart(charts.day_layers(found, list(quality.LAYERS.values())), width="stretch")
    period = figures.period(found["run_date"].min().date(), found["run_date"].max().date())
    parts.source(reader, "whether the day is there", period)


def _checks(reader: Reader) -> None:
    st.subheader("Checks of the builds")
    history = quality.test_history(reader)
    if history.empty:
        st.info("No build has recorded its checks yet.")
        return
    st.altair_chart(charts.outcomes(history), width="stretch")
    failing = quality.failing_tests(reader)
    if failing.empty:
        st.success("✓ The newest result of each check is a pass.")
    else:
        st.error(f"✗ Checks whose newest result is no pass: {len(failing)}.")
        titles = {"model": "model", "test_name": "check", "status": "outcome", "failing_rows": "failing rows"}
        parts.table(parts.texts(failing), {**titles, "last_date": "day", "finished_at": "at (UTC)"})
    ended = history["finished_at"]
    parts.source(reader, "checks", figures.period(ended.min().date(), ended.max().date()))


def _reconciliation(reader: Reader) -> None:
    oracles = [source.oracle for source in SOURCES if source.oracle and reader.has(source.oracle.model)]
    for oracle in oracles:
        st.subheader(f"Reconciliation with {oracle.vendor}")
        found = quality.reconciliation(reader, oracle.model)
        if found.empty:
            st.info(f"{oracle.vendor} has given no figures yet.")
            continue
        for place, row in zip(st.columns(len(found)), found.itertuples(), strict=True):
            place.metric(str(row.status), figures.number(row.figures), border=True)
        differing = quality.differences(reader, oracle.model, oracle.value)
        if not differing.empty:
            titles = {name: name.replace("_", " ") for name in differing.columns}
            parts.table(differing, {**titles, "vendor_value": f"{oracle.vendor}'s value"})
        parts.source(reader, f"figures of {oracle.vendor}", f"{_last_day(reader)}")


def _excluded(reader: Reader) -> None:
    st.subheader("Excluded, by reason")
    found = quality.excluded(reader)
    if found.empty:
        st.success("✓ No answer is excluded from the marts.")
    else:
        titles = {"source": "source", "stream": "stream", "reason": "reason", "days": "days", "answers": "answers"}
        parts.table(found, titles)
    st.caption("Records that broke a contract are not published: `vp quarantine list` has them by reason.")
    parts.source(reader, "answers", f"all days up to {_last_day(reader)}")


def _freshness(reader: Reader) -> None:
    if not reader.has("mon_product_freshness"):
        return
    st.subheader("Freshness by product")
    titles = {"title": "product", "asin": "ASIN", "snapshot_at": "newest answer (UTC)", "days_behind": "days behind"}
    parts.table(parts.texts(quality.late_products(reader)), titles, height=320)
    parts.source(reader, "days behind the newest day", f"{_last_day(reader)}")


def _models(reader: Reader) -> None:
    st.subheader("Slowest models of the newest build")
    found = quality.slow_models(reader)
    found["seconds"], found["median_seconds"] = (
        found[name].astype("float64").round(2) for name in ("seconds", "median_seconds")
    )
    titles = {
        "layer": "layer",
        "model": "model",
        "seconds": "seconds",
        "median_seconds": "median of earlier builds (s)",
    }
    parts.table(found, {**titles, "rows_total": "rows"})
    parts.source(reader, "seconds, rows", "the newest build")


def _last_day(reader: Reader) -> str:
    days = reader.publication.days
    return f"{days[-1]}" if days else "no day"
