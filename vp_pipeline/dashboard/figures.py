"""Numbers and texts as people read them, each with its unit.

Here: texts. Not here: amounts of money (`publishing/metrics.py`), charts.
"""

import re
from datetime import date
from typing import Any

import pandas as pd

from vp_pipeline.publishing.metrics import amount

NOTHING = "–"
# What Markdown, as Streamlit reads it, takes for more than text.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|$:~^=])")


def is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or bool(pd.isna(value))


def money(value: Any, currency: Any) -> str:
    """18.32 EUR, 3,050 JPY."""
    return NOTHING if is_missing(value) or is_missing(currency) else amount(value, str(currency))


def share(value: Any) -> str:
    """A share of 1 as per cent."""
    return NOTHING if is_missing(value) else f"{float(value):.1%}"


def number(value: Any, unit: str = "", digits: int = 0) -> str:
    """1,234 units."""
    text = NOTHING if is_missing(value) else f"{float(value):,.{digits}f}"
    return f"{text} {unit}".strip()


def is_currency(unit: str) -> bool:
    """Whether a unit is a currency (ISO 4217)."""
    return re.fullmatch(r"[A-Z]{3}", unit) is not None


def figure(value: Any, unit: str) -> str:
    """A metric's value, with as many decimal places as its unit has; the unit itself stands beside it (`titled`)."""
    if unit == "share":
        return share(value)
    if is_currency(unit):
        return money(value, unit).removesuffix(f" {unit}")
    whole = not is_missing(value) and float(value).is_integer()
    return number(value, digits=0 if whole else 2)


def titled(title: str, unit: str) -> str:
    """A title with its unit: Revenue (EUR). A share is written as per cent, and a rank is its own unit; "Units sold"
    names it already."""
    named = unit in ("share", "rank", "") or unit.lower() in title.lower()
    return title if named else f"{title} ({unit})"


def change(now: Any, before: Any, unit: str) -> str | None:
    """The change of a metric: of a share in percentage points, of a rank in places, of anything else in per cent; None:
    not known."""
    if is_missing(now) or is_missing(before):
        return None
    difference = float(now) - float(before)
    if unit == "share":
        return f"{difference * 100:+.1f} percentage points"
    if unit == "rank":
        return f"{difference:+,.0f} places"
    return f"{difference / float(before):+.1%}" if float(before) else None


def duration(minutes: Any) -> str:
    """Minutes as days, hours and minutes."""
    if is_missing(minutes):
        return NOTHING
    days, rest = divmod(int(minutes), 24 * 60)
    hours, left = divmod(rest, 60)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{left} min" if left and not days else ""]
    return " ".join(part for part in parts if part) or "0 min"


def period(first: date, last: date) -> str:
    """Days, both included."""
    return f"{first}" if first == last else f"{first} to {last}"


def isolated(text: Any) -> str:
    """A text of whichever direction, so that it does not turn what stands beside it."""
    return NOTHING if is_missing(text) else f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def short(text: Any, length: int = 140) -> str:
    """A text that is too long for a heading, cut."""
    whole = NOTHING if is_missing(text) else str(text)
    return whole if len(whole) <= length else f"{whole[: length - 1].rstrip()}…"


def plain(text: Any) -> str:
    """A text from the data where Markdown is read: shown as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(isolated(text).split()))
