"""A statement that fails on Snowflake leaves nothing behind: not in the model, and not with what is built after it.

dbt-snowflake never rolls back, and a statement that defines an object commits what is open in its session, as the
stand-in does. Each statement of each strategy fails once here, and the same session then builds a view.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.data_folder import RUN_RESULTS
from vp_pipeline.dbt.invocation import build_dbt
from vp_pipeline_tests.end_to_end.test_production import UP_TO_RAW, reasons
from vp_pipeline_tests.stand_ins.production import Production, production
from vp_pipeline_tests.stand_ins.snowflake import refusal

pytestmark = pytest.mark.slow

DAYS = (date(2026, 2, 9), date(2026, 2, 10))
# A model of each strategy: each reads the one before it.
CHANGES, BY_DAY, FACT = "core_keepa_price_change", "core_keepa_price_daily", "fct_price_history_daily"
STRATEGIES = {
    "newest_snapshot": ("core", CHANGES),
    "changed_days": ("core", BY_DAY),
    "changed_entities": ("mart", FACT),
}
AFTER = "stg_keepa_stats"
_OF_DBT = re.compile(r"/\*.*?\*/", re.DOTALL)


def bare(statement: str) -> str:
    return " ".join(_OF_DBT.sub("", statement).lower().split())


@dataclass
class Refusing:
    """A fault: the statement with this number after `begin` is refused. `refused`: which that was."""

    number: int
    refused: str | None = None
    _left: int | None = field(default=None)

    def __call__(self, statement: str) -> Exception | None:
        sent = bare(statement)
        if sent == "begin":
            self._left = self.number
        elif self._left is not None:
            if self._left == 0:
                self.refused, self._left = sent, None
                return refusal(100038, "Numeric value 'x' is not recognized")
            self._left = None if sent == "commit" else self._left - 1
        return None


@dataclass
class Built:
    """The first day as it is built; the second is in RAW."""

    made: Production
    folder: Path

    def run(self, *models: str) -> dict[str, str]:
        """Builds these for the second day, one after the other in one session; their statuses."""
        window = ["--event-time-start", "2026-02-10", "--event-time-end", "2026-02-11"]
        command = ["build", "--resource-type", "model", "--resource-type", "seed", *window, "--select", *models]
        build_dbt(self.made.settings).start(command, self.folder, "a-run").wait()
        results = json.loads((self.folder / RUN_RESULTS).read_text())["results"]
        nodes = [result for result in results if result["unique_id"].startswith(("model.", "seed."))]
        return {result["unique_id"].rpartition(".")[2]: result["status"] for result in nodes}

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the models and of their change logs."""
        tables = [f"{schema}.{name}" for schema, name in STRATEGIES.values()]
        tables += [f"core._touched_{name}" for name in (BY_DAY, FACT)]
        return {table: sorted(self.made.snowflake.query(f"select * from {table}"), key=repr) for table in tables}


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Built]:
    with production(tmp_path / "data", products=1) as made:
        found = Built(made, tmp_path / "dbt")
        result = made.materialize(UP_TO_RAW, DAYS[0])
        assert result.success, reasons(result)
        statuses = found.run(f"+{FACT}", AFTER)
        assert set(statuses.values()) == {"success"}, statuses
        result = made.materialize(UP_TO_RAW, DAYS[1])
        assert result.success, reasons(result)
        yield found


@pytest.mark.parametrize("numbers", [(2, 6, 30), pytest.param(range(20), marks=pytest.mark.exhaustive)])
def test_a_failed_statement_changes_nothing_and_the_next_model_commits_nothing(
    built: Built, numbers: Sequence[int]
) -> None:
    """The third statement has one before it that wrote, so that something is there to be left behind; another one is
    further on, and the last is beyond the end. `make exhaustive` refuses each, until none is left."""
    made = built.made
    for strategy, (schema, model) in STRATEGIES.items():
        for number in numbers:
            before = built.rows()
            fault = Refusing(number)
            made.snowflake.faults[:] = [fault]
            made.snowflake.statements.clear()
            statuses = built.run(model, AFTER)
            if fault.refused is None:
                assert statuses[model] == "success"
                break
            where = f"{strategy}, statement {number}: {fault.refused[:80]}"
            assert statuses == {model: "error", AFTER: "success"}, where
            sent = [bare(statement) for statement in made.snowflake.statements]
            after = sent[sent.index(fault.refused) + 1 :]
            assert any(statement.startswith("create") for statement in after), where
            rows = built.rows()
            assert [table for table in before if rows[table] != before[table]] == [], where
        assert number > numbers[0], "no statement of the strategy was refused"
        table = f"{schema}.{model}"
        assert built.rows()[table] != before[table], f"{table} has nothing new: no failure could have been seen"
