"""A running sandbox."""

from collections.abc import Iterator

import pytest

from vp_pipeline.sandbox.server import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running
