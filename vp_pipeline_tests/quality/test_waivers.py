"""Waivers: what the tag of a run means."""

import dagster as dg
import pytest

from vp_pipeline.quality.waivers import Waivers

VOLUME = dg.AssetCheckKey(dg.AssetKey(["silver", "keepa", "price"]), "volume")


@pytest.mark.parametrize("tag", ["vp/waiver", "vp/overrule"])
def test_the_tag_of_v0_1_0_is_read_as_well(tag: str) -> None:
    """A run that is started again from the UI has the tags of the first one."""
    assert Waivers.of({tag: "volume"}).covers(VOLUME)
    assert Waivers.of({tag: "arrival, silver/keepa/price:volume"}).covers(VOLUME)
    assert not Waivers.of({tag: "arrival"}).covers(VOLUME)
    assert Waivers.of({"vp/waiver": "volume", "vp/overrule": "arrival"}) == Waivers(frozenset({"volume", "arrival"}))
    assert Waivers.of({}) == Waivers()
