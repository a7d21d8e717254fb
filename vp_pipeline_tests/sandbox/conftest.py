"""A running sandbox."""

from collections.abc import Iterator

import pytest

from vp_pipeline_tests.sandbox.client import KeepaSandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[KeepaSandbox]:
    with KeepaSandbox() as running:
        yield running
