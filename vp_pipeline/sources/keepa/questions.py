"""How much history of each product a day requests: all of it, or the time since its newest answer.

Here: the decision, a pure function. Not here: how requests are written (`requests.py`), and where earlier answers are
read (`lake/answers/earlier.py`).

Tokens are the same either way, and so is the history in the end: answers of the last days continue each other without
a gap, and Keepa's figures of all time come with each of them, so the reconciliation shows whether anything is missing.
What is less is everything else: of a whole history a day later one point in a thousand is new.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from vp_pipeline.sources.earlier import Earlier, EarlierAnswer

FIRST = "it has no earlier answer"


@dataclass(frozen=True)
class Amount:
    """How much of a product's history is requested. `days`: the last ones; None: all of it, for the reason `why`."""

    days: int | None
    why: str = ""


def amounts(
    products: Iterable[str], day: date, earlier: Earlier, *, full_every: int, overlap: int
) -> dict[str, Amount]:
    """What `day` (UTC) requests of each product (`DOMAIN:ASIN`); only answers and doubts of days before it count.

    All of the history, where earlier answers do not have all of it up to the newest of them: there are none, a part is
    missing between two of them, or a doubt is newer than the last whole one. Besides that once in `full_every` days
    (1: always), by the product's name, so that as many are on each day: what Keepa has corrected before the newest
    answer comes with it. And where an earlier sync of the day requested it: its answer is replaced by no lesser one.

    Otherwise the days since the newest answer, and `overlap` (1 at least) more. Answers are of the hours after their
    day, and one is enough to reach into the answer before.
    """
    return {product: _amount(product, day, earlier, full_every, overlap) for product in products}


def _amount(product: str, day: date, earlier: Earlier, full_every: int, overlap: int) -> Amount:
    answers = [answer for answer in earlier.answers.get(product, ()) if answer.day < day]
    why = next(_reasons(product, day, answers, earlier, full_every), "")
    if why:
        return Amount(None, why)
    return Amount(max((day - answers[0].day).days + overlap, earlier.own.get(product) or 0))


def _reasons(
    product: str, day: date, answers: Sequence[EarlierAnswer], earlier: Earlier, full_every: int
) -> Iterator[str]:
    """Why the whole history is requested, the first reason first."""
    if not answers:
        yield FIRST
        return
    if (day.toordinal() - zlib.crc32(product.encode())) % full_every == 0:
        yield f"once in {full_every} days"
    if earlier.own.get(product, 0) is None:
        yield "an earlier sync of the day requested it"
    if missing := _missing(answers):
        yield missing
    last_whole = max((answer.day for answer in answers if answer.days is None), default=date.min)
    doubt = earlier.doubts.get(product)
    if doubt is not None and last_whole <= doubt.day < day:
        yield doubt.reason
    if (day - last_whole).days >= full_every:
        yield f"its last whole answer is of {last_whole}"


def _missing(answers: Sequence[EarlierAnswer]) -> str:
    """What is missing in answers (newest first) up to the newest of them; empty: nothing. An answer of N days begins
    less than a day after N days before the end of its day."""
    begins = answers[0].day.toordinal()
    for answer in answers:
        if answer.day.toordinal() < begins:
            return f"a part is missing after {answer.day}"
        if answer.days is None:
            return ""
        begins = min(begins, answer.day.toordinal() - answer.days + 1)
    return "none of its earlier answers is whole"
