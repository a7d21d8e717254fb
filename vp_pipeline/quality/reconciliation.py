"""The result of a reconciliation with a vendor's own figures, as the metadata and the words of its checks.

Here: reading the model of MONITORING that compares them. Not here: the comparison itself and its tolerance
(`dbt_project/`); which sources have one (`Source.oracle`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vp_pipeline.sources.registry import ORACLES
from vp_pipeline.sources.source import Oracle

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection

_BY_CHECK: Mapping[str, Oracle] = {
    check: oracle for oracle in ORACLES for check in (oracle.agrees, oracle.has_no_exceptions)
}
_FIGURES_NAMED = 20


@dataclass(frozen=True)
class Reconciliation:
    """How many figures were compared, how many differ, cannot be compared, or agree without outliers only, and the
    worst difference (0: every figure is the vendor's)."""

    oracle: Oracle
    entities: int
    compared: int
    differing: int
    not_comparable: int
    without_outliers: int
    worst_difference: int
    worst_figures: tuple[tuple[object, ...], ...]

    @property
    def metadata(self) -> dict[str, object]:
        """Plain numbers, and the worst figures as a Markdown table."""
        columns = [self.oracle.key, "series", "figure", "ours", f"{self.oracle.vendor}'s", "finding"]
        head = f"| {' | '.join(columns)} |\n|---|---|---|---:|---:|---|"
        rows = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in self.worst_figures]
        return {
            "entities": self.entities,
            "figures_compared": self.compared,
            "figures_differing": self.differing,
            "figures_not_comparable": self.not_comparable,
            "figures_agreeing_without_outliers": self.without_outliers,
            "worst_difference": self.worst_difference,
            "worst_figures": "\n".join([head, *rows]) if rows else "*Every figure agrees.*",
        }


def oracle_of(check: str) -> Oracle | None:
    """Whose figures a check compares; None: it compares none."""
    return _BY_CHECK.get(check)


def reconciliation(connection: "Connection", oracle: Oracle) -> Reconciliation:
    """The result now. The worst difference is that of the figures that were compared, within tolerance or not."""
    name, key = f"monitoring.{oracle.model}", oracle.key
    statuses = ("differs", "not comparable", "agrees without outliers")
    counts = ", ".join(f"count(case when status = '{status}' then 1 end)" for status in statuses)
    summary = connection.execute(
        f"select count(distinct {key}), count(case when status <> 'not comparable' then 1 end), {counts}, "
        f"coalesce(max(case when status in ('agrees', 'differs') then abs(difference) end), 0) from {name}"
    ).fetchone()
    assert summary is not None
    worst = connection.execute(
        f"select {key}, series, figure, our_value, {oracle.value}, finding from {name} "
        "where difference <> 0 or status <> 'agrees' "
        "order by case status when 'differs' then 0 when 'agrees without outliers' then 1 when 'agrees' then 3 "
        f"else 2 end, abs(difference) desc, {key}, series, figure limit {_FIGURES_NAMED}"
    ).fetchall()
    entities, compared, differing, not_comparable, without, difference = map(int, summary)
    return Reconciliation(oracle, entities, compared, differing, not_comparable, without, difference, tuple(worst))


def figure_text(oracle: Oracle, row: Mapping[str, object]) -> str:
    """A figure of the comparison in words: `1-B0… USED max_value: ours 199900, the vendor's 37928 (differs)`."""
    return (
        f"{row[oracle.key]} {row['series']} {row['figure']}: ours {row['our_value']}, {oracle.vendor}'s "
        f"{row[oracle.value]} ({row['finding']})"
    )
