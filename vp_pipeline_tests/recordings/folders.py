"""Where recorded answers are: the made-up ones beside this file, the real ones beside the project.

The real ones are other people's and no part of the project: where they are missing, tests skip. Each of those tests
runs on the made-up ones too.
"""

from pathlib import Path

import pytest

from vp_pipeline.settings import PROJECT_ROOT

MADE_UP = Path(__file__).with_name("keepa")
# One condition a file, each with an outcome of its own (`test_odd_answers.py`).
ODD = Path(__file__).with_name("keepa_odd")
REAL = PROJECT_ROOT.parent / "shared" / "data" / "keepa"
# Made-up answers to try single conditions on, written for this project and no part of it.
CASES = PROJECT_ROOT.parent / "shared" / "data" / "keepa_cases"
SETS = {"made_up": MADE_UP, "real": REAL}


def recordings_of(name: str) -> Path:
    """The folder of a set by name; skips the test where it is missing."""
    folder = SETS[name]
    if not folder.is_dir():
        pytest.skip(f"the real Keepa answers are not at {folder}; the made-up ones are tested instead")
    return folder
