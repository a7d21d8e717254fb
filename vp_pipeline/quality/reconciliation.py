"""The result of the reconciliation with Keepa's own figures, as the metadata of its check.

Here: reading `monitoring.mon_keepa_reconciliation`. Not here: the comparison itself and its tolerance (`dbt_project/`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection

CHECK = "mon_keepa_reconciliation_agrees"
_FIGURES_NAMED = 20


@dataclass(frozen=True)
class Reconciliation:
    """How many figures were compared, how many differ, and the worst difference (0: every figure is Keepa's)."""

    products: int
    compared: int
    differing: int
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
            "worst_difference": self.worst_difference,
            "worst_figures": "\n".join([head, *rows]) if rows else "*Every figure agrees.*",
        }


def reconciliation(connection: "Connection") -> Reconciliation:
    """The result now. The worst difference includes those within tolerance."""
    name = "monitoring.mon_keepa_reconciliation"
    summary = connection.execute(
        "select count(distinct product_key), count(*), count(case when not is_within_tolerance then 1 end), "
        f"coalesce(max(abs(difference)), 0) from {name}"
    ).fetchone()
    assert summary is not None
    worst = connection.execute(
        f"select product_key, series, figure, our_value, keepa_value, finding from {name} "
        "where difference <> 0 or not is_within_tolerance "
        f"order by is_within_tolerance, abs(difference) desc, product_key, series, figure limit {_FIGURES_NAMED}"
    ).fetchall()
    products, compared, differing, difference = map(int, summary)
    return Reconciliation(products, compared, differing, difference, tuple(worst))
