"""A running sandbox, and the folder of the real responses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vp_pipeline.sandbox.server import Sandbox

REAL_ANSWERS = Path(__file__).resolve().parents[3] / "shared/data/keepa"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def real_answers() -> Path:
    if not REAL_ANSWERS.is_dir():
        pytest.skip(f"the real Keepa answers are not here ({REAL_ANSWERS.name} beside the project)")
    return REAL_ANSWERS
