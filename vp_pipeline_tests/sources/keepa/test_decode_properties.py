"""What must stay true of every answer, however damaged: random answers, random damage."""

import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.keepa.series import SERIES
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.landed import LandedLine
from vp_pipeline_tests.sources.keepa.decode_lines import NOW, answer, landed, product
from vp_pipeline_tests.sources.keepa.decode_naively import naive

NUMBERS = st.integers(-3, 2000) | st.sampled_from(
    [2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 46_810_079, 46_810_080]
)
JUNK = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
ANYTHING = st.recursive(
    JUNK | NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
)
SOUND_HISTORY = st.lists(st.integers(0, 60), max_size=24)
DAMAGED_HISTORY = st.lists(st.integers(0, 60) | NUMBERS | ANYTHING, max_size=9)
# Lists among numbers: a parser that flattens them must not get away with it.
NESTED_HISTORY = st.lists(st.integers(0, 60) | st.lists(st.integers(0, 60), max_size=2), max_size=8)
HISTORY = st.none() | SOUND_HISTORY | NESTED_HISTORY | DAMAGED_HISTORY
CHECKED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def products(draw: st.DrawFn, history: st.SearchStrategy[Any] = HISTORY) -> dict[str, Any]:
    """A product whose header is sound, with any histories."""
    some = draw(st.dictionaries(st.sampled_from(range(len(SERIES))), history, max_size=5))
    return product(
        asin=draw(st.sampled_from(["B000000001", "B000000002", "1234567890"])),
        domainId=draw(st.sampled_from([1, 5])),
        csv=[some.get(index) for index in range(draw(st.sampled_from([34, 36])))],
        salesRanks=draw(st.none() | st.dictionaries(st.sampled_from(["7", "11"]), history, max_size=2)),
        monthlySoldHistory=draw(history),
        title=draw(st.none() | st.text(st.characters(codec="utf-8"), max_size=4)),
    )


@st.composite
def days(draw: st.DrawFn, one_product: st.SearchStrategy[Any]) -> list[LandedLine]:
    """The lines of a day, in no order, some of the same moment."""
    lines = []
    for line in range(1, draw(st.integers(1, 4)) + 1):
        answered = NOW + 60_000 * draw(st.integers(0, 1))
        data = answer(*draw(st.lists(one_product, max_size=3)), timestamp=answered)
        lines.append(landed(data, line, NOW + draw(st.integers(0, 2))))
    return lines


@CHECKED
@given(days(products()))
def test_every_valid_point_is_there_and_every_record_is_accounted_for(lines):
    expected, result = naive(lines), decode(lines)
    for table in TABLES:
        decoded = result[table.name]
        keys = list(zip(*(decoded.rows[name].to_pylist() for name in table.natural_key), strict=True))
        others = [c.name for c in table.columns if c.name not in table.natural_key]
        values = zip(*(decoded.rows[name].to_pylist() for name in others), strict=True)
        assert list(zip(keys, values, strict=True)) == sorted(expected[table.name].items())
        assert decoded.unaccounted == 0


@CHECKED
@given(
    st.lists(ANYTHING | products() | products(ANYTHING), max_size=4),
    st.dictionaries(
        st.sampled_from(
            [
                "csv",
                "stats",
                "salesRanks",
                "buyBoxSellerIdHistory",
                "categoryTree",
                "asin",
                "productType",
                "rootCategory",
                "fbaFees",
                "referralFeePercentage",
                "eanList",
                "partNumber",
                "images",
                "imagesCSV",
                "variations",
                "variationCSV",
                "frequentlyBoughtTogether",
                "buyBoxUsedHistory",
                "couponHistory",
            ]
        ),
        ANYTHING,
    ),
    ANYTHING,
)
def test_nothing_makes_it_stumble(items, damage, stats):
    damaged = [
        {**item, **damage, "stats": {"current": stats, "min": [stats], "x": stats}} if isinstance(item, dict) else item
        for item in items
    ]
    good = landed(answer(product(asin="B0GOODGOOD", csv=[[1, 2]])), line=2)
    result = decode([landed(answer(*damaged)), good])
    assert "B0GOODGOOD" in result["price"].rows["asin"].to_pylist()
    for decoded in result.values():
        assert decoded.unaccounted == 0
        assert all(json.dumps(row.record) and row.reason for row in decoded.quarantined)


@CHECKED
@given(st.binary(max_size=40) | ANYTHING.map(lambda x: json.dumps(x).encode()))
def test_any_line_is_one_record_or_an_answer(text):
    result = decode([LandedLine("o", 1, text)])
    assert [row.source_line for row in result["product"].quarantined] == [1]
    assert result["product"].unaccounted == 0


@CHECKED
@given(days(products()), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(lines, rng: random.Random):
    one, other = decode(lines), decode(rng.sample(lines, len(lines)))
    for name, table in one.items():
        assert other[name].rows.equals(table.rows)
        assert (other[name].duplicates, other[name].quarantined) == (table.duplicates, table.quarantined)


@CHECKED
@given(days(products(SOUND_HISTORY.map(lambda h: [x for i, t in enumerate(h) for x in (i, t, t)]))), st.data())
def test_repeated_lines_only_add_duplicates(lines, data):
    """Lines that hold no conflict: each is delivered up to three times, as lines further down."""
    sound = [
        line for line in lines if not any(table.quarantined or table.duplicates for table in decode([line]).values())
    ]
    sound = sound[:1]
    times = data.draw(st.integers(1, 3))
    repeated = [LandedLine(line.object, line.line + 10 * n, line.text) for line in sound for n in range(times)]
    one, more = decode(sound), decode(repeated)
    for name, table in one.items():
        assert more[name].rows.equals(table.rows)
        assert more[name].duplicates == (times - 1) * table.rows.num_rows
        assert more[name].quarantined == ()
