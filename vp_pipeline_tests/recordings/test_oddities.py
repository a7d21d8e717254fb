"""Every oddity that README.md promises is in the made-up answers: they may be written anew, and keep all of them."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from vp_pipeline_tests.recordings.answers import ALONE, CUT, PARENT, RANKS_ONLY, TWICE, YEN
from vp_pipeline_tests.recordings.figures import DAY, WITH_SHIPPING
from vp_pipeline_tests.recordings.folders import MADE_UP, ODD
from vp_pipeline_tests.recordings.products import KEEPA_EPOCH

ANSWERS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(MADE_UP.glob("*.json"))}
ODD_ANSWERS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(ODD.glob("*.json"))}
PRODUCTS = [product for answer in ANSWERS.values() for product in answer.get("products", [answer])]


def of(asin: str) -> list[dict[str, Any]]:
    return [product for product in PRODUCTS if product["asin"] == asin]


def histories() -> Iterator[tuple[int, list[tuple[int, ...]]]]:
    for product in PRODUCTS:
        for index, flat in enumerate(product["csv"]):
            width = 3 if index in WITH_SHIPPING else 2
            if flat:
                yield index, [tuple(flat[k : k + width]) for k in range(0, len(flat), width)]


def test_34_and_36_series_and_longer_with_null_and_empty_ones() -> None:
    assert {len(product["csv"]) for product in PRODUCTS} == {34, 36, 39}
    assert all(None in product["csv"] for product in PRODUCTS)
    assert of(RANKS_ONLY)[0]["csv"][3] == []
    assert all(flat is None for flat in of(PARENT)[0]["csv"])
    assert ODD_ANSWERS["unknown_series"]["products"][0]["csv"][36]


def test_values_that_need_care() -> None:
    points = [(index, point) for index, history in histories() for point in history]
    assert any(index in WITH_SHIPPING and point[1] > 0 and point[2] == -1 for index, point in points)
    assert any(index in WITH_SHIPPING and point[1] > 0 and point[2] > 0 for index, point in points)
    assert any(index in WITH_SHIPPING and point[1:] == (-1, -1) for index, point in points)
    assert any(index == 0 and point[1] == -1 for index, point in points)
    assert any(index == 15 and point[1] < -1 for index, point in points)
    assert any(index == 16 and point[1] == 46 for index, point in points)
    kinds = {index for index, history in histories() if any(one[1:] == other[1:] for one, other in pairwise(history))}
    assert {15, 16, 18} <= kinds  # equal values follow each other
    for _, history in histories():
        assert all(one[0] < other[0] for one, other in pairwise(history))


def test_yen() -> None:
    (yen,) = of(YEN)
    assert yen["domainId"] == 5
    assert len(yen["csv"]) == 34


def test_the_later_of_two_answers_lacks_series_and_has_a_point_more() -> None:
    earlier, later = ANSWERS["first_of_two"], ANSWERS["second_of_two"]
    assert later["timestamp"] - earlier["timestamp"] == 90 * 60_000
    (one,), (two,) = earlier["products"], later["products"]
    lacking = [index for index, flat in enumerate(one["csv"]) if flat and two["csv"][index] is None]
    assert lacking == [7, 15, 16, 17, 18, 32]
    assert len(two["csv"][1]) == len(one["csv"][1]) + 2
    assert two["buyBoxSellerIdHistory"] is None
    assert all(two["stats"]["current"][index] == -1 for index in lacking)


def test_the_other_histories() -> None:
    product = of(TWICE)[0]
    assert len(product["monthlySoldHistory"]) % 2 == 0
    assert len(product["couponHistory"]) % 3 == 0
    assert {"-1", "-2"} <= set(product["buyBoxSellerIdHistory"][1::2])
    assert all(isinstance(item, str) for item in product["buyBoxSellerIdHistory"] + product["parentAsinHistory"])
    assert "-1" in product["parentAsinHistory"]
    assert len(product["salesRanks"]) == 2


def test_lists_of_which_the_later_answer_has_less() -> None:
    one, two = of(TWICE)
    assert len(one["eanList"]) == 2
    assert two["eanList"] == one["eanList"][:1]
    assert [sorted(image) for image in one["images"]] == [["l", "lH", "lW", "m", "mH", "mW"], ["m", "mH", "mW"]]
    assert len(two["images"]) == 1
    assert one["coupon"] == [0, -10]
    assert two["variations"][: len(one["variations"])] == one["variations"]
    assert two["variations"][-1]["attributes"] is None
    assert set(two["frequentlyBoughtTogether"]) < set(one["frequentlyBoughtTogether"])
    (alone,) = of(ALONE)
    assert (alone["images"], alone["imagesCSV"].count(",")) == (None, 1)
    assert "lastUpdate" not in alone["fbaFees"]


def test_sales_is_the_rank_in_the_category_of_its_time() -> None:
    for product in of(TWICE) + of(ALONE):
        sales = dict(zip(product["csv"][3][::2], product["csv"][3][1::2], strict=True))
        references = product["salesRankReferenceHistory"]
        for start, category, end in zip(references[::2], references[1::2], [*references[2::2], 2**40], strict=True):
            own = product["salesRanks"].get(str(category), [])
            expected = {t: rank for t, rank in zip(own[::2], own[1::2], strict=True) if start < t < end}
            assert {t: rank for t, rank in sales.items() if start < t < end} == expected
            assert (sales[start] == -1) == (category == -1)
    assert of(ALONE)[0]["salesRankReference"] != of(ALONE)[0]["salesRankReferenceHistory"][1]


def test_ranks_without_a_sales_series() -> None:
    (product,) = of(RANKS_ONLY)
    assert product["salesRankReference"] == -1
    assert product["salesRankReferenceHistory"][1] > 0
    assert product["salesRankReferenceHistory"][-1] == -1
    assert len(product["salesRanks"]) == 3
    assert all(len(ranks) // 2 >= 36 for ranks in product["salesRanks"].values())


def test_product_types_and_times() -> None:
    types = {product["productType"] for product in PRODUCTS}
    assert types == {0, 1, 2, 5}
    assert {product["productType"] for product in ODD_ANSWERS["not_products"]["products"]} == {0, 3, 4}
    listed = [product["listedSince"] for product in PRODUCTS]
    assert {0, -1} < set(listed)
    assert min(listed) < -1_000_000
    assert max(listed) > 1_779_268_407_512 // 60_000 - KEEPA_EPOCH  # to come
    assert {product["trackingSince"] for product in of(PARENT)} == {-1}


def test_envelopes() -> None:
    assert "products" not in ANSWERS["product_alone"]
    assert ANSWERS["product_alone"]["stats"] is None
    text = (MADE_UP / "product_alone.json").read_text(encoding="utf-8")
    assert "NaN" in text
    whole = [answer for answer in ANSWERS.values() if "products" in answer]
    assert min(answer["tokensLeft"] for answer in whole) < 0
    assert max(len(answer["products"]) for answer in whole) == 3


def test_titles() -> None:
    titles = [product["title"] for product in PRODUCTS]
    assert max(map(len, titles)) > 1_500
    for character in ("|", "\n", "\t", '"', "'", "\\", "<", "ת", "م", "架", "🫖", "\u200d"):
        assert any(character in title for title in titles), character


def test_an_answer_of_90_days_begins_with_the_point_before_them_and_its_figures_do_not() -> None:
    answer = ANSWERS["only_90_days"]
    earlier, later = of(CUT) if of(CUT)[0]["csv"][0][0] < of(CUT)[1]["csv"][0][0] else of(CUT)[::-1]
    start = answer["timestamp"] // 60_000 - KEEPA_EPOCH - 90 * DAY
    for index, flat in enumerate(later["csv"]):
        if flat:
            width = 3 if index in WITH_SHIPPING else 2
            assert [at < start for at in flat[::width]] == [True] + [False] * (len(flat) // width - 1)
    assert len(later["csv"][0]) == 2  # the one before is all there is
    assert later["stats"]["min"][1][0] < start
    assert earlier["csv"][1][0] < start


def test_figures_of_odd_answers_are_of_histories_that_they_do_not_show() -> None:
    (product,) = ODD_ANSWERS["outlier_left_out"]["products"]
    for index, width in ((2, 2), (21, 3)):
        assert max(product["csv"][index][1::width]) == 199_900
        assert product["stats"]["max"][index][1] < 3_000
    (product,) = ODD_ANSWERS["no_history"]["products"]
    assert product["csv"] is None
    assert product["stats"]["current"][1] > 0
    (product,) = ODD_ANSWERS["only_90_days"]["products"]
    assert product["stats"]["min"][1][0] < product["csv"][1][0]
