"""Small charts of histories, in characters: one line per product, for the pages that show a day.

Here: what is drawn. Not here: where it is shown.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

DAYS = 90
WIDTH = 45
PRODUCTS = 5
_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"


def prices(rows: "pa.Table") -> str:
    """The NEW price of a few products: RAW's `price` rows in, a Markdown table out."""
    return _chart(rows, "NEW", "price", "currency")


def ranks(rows: "pa.Table") -> str:
    """The SALES rank of a few products: RAW's `rank` rows in, a Markdown table out. A high bar is a high number."""
    return _chart(rows, "SALES", "sales_rank", None)


def sparkline(observed_at: "np.ndarray", values: "np.ndarray", end: "np.datetime64") -> str:
    """A step function over the `DAYS` before `end` in `WIDTH` characters; a dot where it has no value (-1).

    `observed_at`: ascending moments (datetime64, UTC) from which each of `values` holds.
    """
    import numpy as np

    step = np.timedelta64(DAYS * 86_400 // WIDTH, "s")
    moments = end - step * np.arange(WIDTH)[::-1]
    at = np.searchsorted(observed_at, moments, side="right") - 1
    seen = np.where(at >= 0, values[np.maximum(at, 0)], -1)
    known = seen[seen >= 0]
    if not known.size:
        return _GAP * WIDTH
    low, high = int(known.min()), int(known.max())
    bars = (seen - low) * (len(_BARS) - 1) // max(high - low, 1)
    return "".join(_GAP if value < 0 else _BARS[bar] for value, bar in zip(seen, bars, strict=True))


def _chart(rows: "pa.Table", series: str, value: str, unit: str | None) -> str:
    import numpy as np
    from pyarrow.compute import field

    history = rows.filter(field("series") == series).sort_by("observed_at")
    products = sorted({*zip(history["domain_id"].to_pylist(), history["asin"].to_pylist(), strict=True)})
    if not products:
        return f"*No {series} history.*"
    lines = [f"| product | {series}, last {DAYS} days | low | high | now |", "|---|---|---:|---:|---:|"]
    for domain, asin in products[:PRODUCTS]:
        own = history.filter((field("domain_id") == domain) & (field("asin") == asin))
        responded = own["snapshot_at"].to_numpy()
        newest = responded == responded.max()
        # Null, for an unreadable point, is a gap too.
        values = np.nan_to_num(own[value].to_numpy()[newest].astype(np.float64), nan=-1).astype(np.int64)
        drawn = sparkline(own["observed_at"].to_numpy()[newest], values, responded.max())
        low, high, now = (f"{figure:,}" if figure >= 0 else "none" for figure in _figures(values))
        suffix = f" {own[unit][0].as_py()}" if unit else ""
        lines.append(f"| {domain}:{asin} | {drawn} | {low} | {high} | {now}{suffix} |")
    return "\n".join(lines)


def _figures(values: "np.ndarray") -> tuple[int, int, int]:
    """The lowest and highest value of the whole history, and the current one; -1 for none."""
    known = values[values >= 0]
    low, high = (int(known.min()), int(known.max())) if known.size else (-1, -1)
    return low, high, int(values[-1])
