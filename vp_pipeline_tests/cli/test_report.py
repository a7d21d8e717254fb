"""The report of a run at its end."""

from collections.abc import Iterator

import dagster as dg

from vp_pipeline.cli.report import RunReport


@dg.op(out=dg.Out(dg.Nothing))
def build() -> Iterator[object]:
    """A model that one build makes for three days: each day has the same rows and the same seconds."""
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        metadata = {"dagster/row_count": 5, "Execution Duration": 2.5}
        yield dg.AssetMaterialization(["mart", "fct_price_stats"], partition=day, metadata=metadata)
    yield dg.Output(None)


@dg.job
def models() -> None:
    """One model."""
    build()


def test_what_one_build_made_for_many_days_is_counted_once() -> None:
    report = RunReport()
    for event in models.execute_in_process().all_events:
        report.take(event)
    mart = report.layers["mart"]
    assert sum(mart.seconds.values()) == 2.5
    assert sum(mart.rows.values()) == 5
    assert report.succeeded
