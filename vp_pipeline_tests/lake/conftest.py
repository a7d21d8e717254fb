"""A server of S3 for the tests of the lake."""

from collections.abc import Iterator

import pytest

from vp_pipeline_tests.stand_ins.s3 import S3StandIn, s3_stand_in


@pytest.fixture(scope="module")
def s3() -> Iterator[S3StandIn]:
    with s3_stand_in() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "s3" in request.fixturenames:
        request.getfixturevalue("s3").faults.clear()
