"""Every generated file in the repository is what its generator writes now."""

from types import ModuleType

import pytest

from vp_pipeline.generators.__main__ import GENERATORS
from vp_pipeline.settings import PROJECT_ROOT


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_what_is_committed_is_up_to_date(generator: ModuleType) -> None:
    files = generator.files()
    assert files
    stale = [path for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    assert not stale, f"run `make generate`: {', '.join(str(path.relative_to(PROJECT_ROOT)) for path in stale)}"
