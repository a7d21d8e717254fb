"""What a plan names and what it costs, in words; of an environment that was never built there is none."""

from datetime import date
from pathlib import Path

import pytest

from vp_pipeline.environments.environment import build_environment
from vp_pipeline.planning.report import Plan, PlannedModel, plan_of
from vp_pipeline_tests.conftest import pipeline_settings

FACT = PlannedModel("fct", "mart.fct", ("SQL", "macro m"), (), ("deals",), 1200, 2.25)
DEALS = PlannedModel("deals", "mart.deals", (), ("fct",), (), 34, None)
DAYS = {"keepa/product": (date(2026, 3, 1), date(2026, 3, 2))}


@pytest.mark.parametrize(
    ("plan", "what", "cost"),
    [
        (
            Plan((FACT, DEALS)),
            "fct (SQL, macro m)",
            "2 models, 1,234 rows, about 2.2 s without the 1 that were never built",
        ),
        (Plan(days=DAYS), "the decoder of keepa/product", "2 days of keepa/product from bronze"),
        (Plan(gone=("old",)), "old (gone from the project)", "tables are dropped"),
        (Plan((FACT,) * 6), "fct (SQL, macro m), " * 4 + "fct (SQL, macro m) and 1 more", None),
    ],
)
def test_what_has_changed_and_what_it_costs(plan: Plan, what: str, cost: str | None) -> None:
    assert plan.what == what
    assert cost in (None, plan.cost)


def test_where_nothing_was_built_nothing_differs_and_nothing_is_written(tmp_path: Path) -> None:
    settings = pipeline_settings(tmp_path / "data")
    environment = build_environment(settings)
    assert plan_of(settings, environment.build_warehouse(), environment.build_lake()).is_empty
    assert not settings.data_dir.exists()
