"""The result of the reconciliation with Keepa's own figures, as the metadata and the words of its checks.

Here: reading `monitoring.mon_keepa_reconciliation`. Not here: the comparison itself and its tolerance (`dbt_project/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection

CHECK = "mon_keepa_reconciliation_agrees"
EXCEPTIONS = "mon_keepa_reconciliation_has_no_exceptions"  # a warning
_FIGURES_NAMED = 20


@dataclass(frozen=True)
class Reconciliation:
    """How many figures were compared, how many differ, cannot be compared, or agree without outliers only, and the
    worst difference (0: every figure is Keepa's)."""

    products: int
    compared: int
    differing: int
    not_comparable: int
    without_outliers: int
    worst_difference: int
    worst_figures: tuple[tuple[object, ...], ...]

    @property
    def metadata(self) -> dict[str, object]:
        """Plain numbers, and the worst figures as a Markdown table."""
        head = "| product | series | figure | ours | Keepa's | finding |\n|---|---|---|---:|---:|---|"
        rows = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in self.worst_figures]
        return {
            "products": self.products,
            "figures_compared": self.compared,
            "figures_differing": self.differing,
            "figures_not_comparable": self.not_comparable,
            "figures_agreeing_without_outliers": self.without_outliers,
            "worst_difference": self.worst_difference,
            "worst_figures": "\n".join([head, *rows]) if rows else "*Every figure agrees.*",
        }


def reconciliation(connection: "Connection") -> Reconciliation:
    """The result now. The worst difference is that of the figures that were compared, within tolerance or not."""
    name = "monitoring.mon_keepa_reconciliation"
    statuses = ("differs", "not comparable", "agrees without outliers")
    counts = ", ".join(f"count(case when status = '{status}' then 1 end)" for status in statuses)
    summary = connection.execute(
        f"select count(distinct product_key), count(case when status <> 'not comparable' then 1 end), {counts}, "
        f"coalesce(max(case when status in ('agrees', 'differs') then abs(difference) end), 0) from {name}"
    ).fetchone()
    assert summary is not None
    worst = connection.execute(
        f"select product_key, series, figure, our_value, keepa_value, finding from {name} "
        "where difference <> 0 or status <> 'agrees' "
        "order by case status when 'differs' then 0 when 'agrees without outliers' then 1 when 'agrees' then 3 "
        f"else 2 end, abs(difference) desc, product_key, series, figure limit {_FIGURES_NAMED}"
    ).fetchall()
    products, compared, differing, not_comparable, without, difference = map(int, summary)
    return Reconciliation(products, compared, differing, not_comparable, without, difference, tuple(worst))


def figure_text(row: Mapping[str, object]) -> str:
    """A figure of `mon_keepa_reconciliation` in words: `1-B0… USED max_value: ours 199900, Keepa's 37928 (differs)`."""
    return (
        f"{row['product_key']} {row['series']} {row['figure']}: ours {row['our_value']}, Keepa's {row['keepa_value']} "
        f"({row['finding']})"
    )
