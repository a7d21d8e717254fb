"""Conservation from the request on: requested = received + refused + missing."""

from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.lake import bronze, unanswered
from vp_pipeline.lake.manifests import BronzeManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.responses.completeness import Coverage, completeness, coverage, not_known
from vp_pipeline.sources.keepa.source import PRODUCT, request_of
from vp_pipeline.sources.landed import Received
from vp_pipeline.sources.source import SyncRequest
from vp_pipeline_tests.lake.syncs import record_sync

DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 2, tzinfo=UTC)
TWELVE = tuple(f"1:B0MADEUP{n:02}" for n in range(12))
A, B, C = TWELVE[:3]


def got(entity: str | None, requested: str | None = None, refusal: str | None = None) -> Received:
    return Received(entity, requested or entity, AT, refusal)


def checked(
    requested: tuple[str, ...], *received: Received, before: dict[str, date] | None = None, **refused: str
) -> Outcome:
    return completeness("b", DAY, coverage(SyncRequest(requested, 90), received, refused), before or {})


def test_everything_received_passes() -> None:
    outcome = checked((A, B), got(A), got(B), got(B))
    assert outcome.passed
    assert outcome.description == "b: 2 requested = 2 received."


def test_what_is_missing_and_what_is_refused_is_named_with_the_reason() -> None:
    outcome = checked(TWELVE, *map(got, TWELVE[3:]), got(B, refusal="invalid"), got(None, C, "no such asin"))
    assert (outcome.passed, outcome.warning) == (False, True)
    assert outcome.description == (
        f"b: 12 requested = 9 received + 2 refused + 1 missing. Missing: {A}. "
        f"Refused by the vendor: {B} (invalid), {C} (no such asin)."
    )


def test_what_the_sync_knows_to_be_refused_needs_no_response() -> None:
    found = coverage(SyncRequest((A, B), 90), [got(A)], {B: "no such asin"})
    assert (found.refused, found.missing) == ({B: "no such asin"}, ())


def test_half_missing_blocks_also_of_twelve() -> None:
    assert checked(TWELVE, *map(got, TWELVE[6:])).blocks
    assert not checked(TWELVE, *map(got, TWELVE[4:])).blocks


def test_a_share_means_nothing_among_a_handful_and_nothing_at_all_blocks() -> None:
    assert not checked((A, B, C), got(A)).blocks
    outcome = checked((A, B, C))
    assert outcome.blocks
    assert "Nothing was received. Request the day again: `vp run --date 2026-03-01 --resync`." in outcome.description


def test_a_response_of_another_product_is_none_of_the_one_requested() -> None:
    outcome = checked((A, B), got(A), got(C, requested=B))
    assert "1 received + 1 missing" in outcome.description
    assert f"Missing: {B}. Received although not requested: {C}." in outcome.description
    swapped = checked((A, B), got(B, requested=A), got(A, requested=B))
    assert "0 received + 2 missing" in swapped.description


def test_a_response_that_names_no_product_is_of_what_was_requested() -> None:
    """The decoder names what is wrong with it."""
    assert checked((A,), got(None, requested=A)).passed


def test_what_is_still_missing_is_reported_once() -> None:
    again = checked((A, B, C), got(A), before={B: DAY})
    assert f"Missing: {C}. Reported before: {B} (since 2026-03-01)." in again.description
    assert not again.passed
    assert checked((A, B), got(A), before={B: DAY}).passed


def test_recordings_that_are_none_are_named() -> None:
    outcome = completeness("b", DAY, coverage(SyncRequest((A,), 90, ("a.json is none.",)), [got(A)], {}), {})
    assert (outcome.passed, outcome.warning) == (False, True)
    assert outcome.description.endswith("a.json is none.")


def test_what_is_not_known_is_not_green() -> None:
    outcome = not_known("b", [got(A), got(A), got(B, refusal="invalid")])
    assert (outcome.passed, outcome.warning) == (False, True)
    assert "1 received; what was requested is not known" in outcome.description


@given(st.sets(st.sampled_from(TWELVE), min_size=1), st.data())
def test_every_request_is_accounted_for_once(requested: set[str], data: st.DataObject) -> None:
    entities = st.sampled_from([*TWELVE, "1:B0OTHER0001"])
    received = data.draw(
        st.lists(st.builds(Received, entities, st.none() | entities, st.just(AT), st.none() | st.just("invalid")))
    )
    found = coverage(SyncRequest(tuple(requested), 90), received, data.draw(st.dictionaries(entities, st.just("no"))))
    parts = [*found.received, *found.refused, *found.missing]
    assert sorted(parts) == sorted(requested)


def test_the_day_before_is_the_newest_one_that_bronze_has(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for number in (1, 2, 5):
        day = date(2026, 3, number)
        sync = record_sync(lake, day, [], records=0)
        lake.write(bronze.manifest_path(PRODUCT, day), BronzeManifest(sync=sync, objects=()).to_bytes())
    unanswered.record(lake, PRODUCT, date(2026, 3, 1), {A: DAY})
    unanswered.record(lake, PRODUCT, date(2026, 3, 2), {A: DAY, B: date(2026, 3, 2)})
    assert unanswered.before(lake, PRODUCT, date(2026, 3, 1)) == {}
    assert unanswered.before(lake, PRODUCT, date(2026, 3, 2)) == {A: DAY}
    assert unanswered.before(lake, PRODUCT, date(2026, 3, 5)) == {A: DAY, B: date(2026, 3, 2)}
    assert unanswered.before(lake, PRODUCT, date(2026, 3, 6)) == {}, "on the 5th everything was received"
    unanswered.record(lake, PRODUCT, date(2026, 3, 2), {})
    assert lake.find(unanswered.path(PRODUCT, date(2026, 3, 2))) is None


def test_since_when() -> None:
    found = Coverage((A, B, C), (), {A: "invalid"}, (B, C), (), ())
    assert found.since(date(2026, 3, 9), {A: DAY, TWELVE[9]: DAY}) == {
        A: DAY,
        B: date(2026, 3, 9),
        C: date(2026, 3, 9),
    }


def test_a_configuration_is_a_request_of_each_product_once() -> None:
    config = {"requests": ["1:B0MADEUP02,B0MADEUP01|30", "5:B0MADEUP01|7", "1:B0MADEUP01|"]}
    assert request_of(config) == SyncRequest(("1:B0MADEUP02", "1:B0MADEUP01", "5:B0MADEUP01"), 10_000)
    assert request_of({"requests": ["1:B0MADEUP01|30"]}) == SyncRequest(("1:B0MADEUP01",), 30)


def test_where_everything_of_a_day_is_requested_nothing_is_missing_by_name() -> None:
    found = coverage(SyncRequest((), 1), [], {})
    assert completeness("b", date(2026, 3, 1), found, {}).passed
    some = coverage(SyncRequest((), 1, ("a.json is no recorded answer.",)), [], {})
    outcome = completeness("b", date(2026, 3, 1), some, {})
    assert (outcome.passed, outcome.warning) == (False, True)
    assert outcome.description.endswith("a.json is no recorded answer.")
