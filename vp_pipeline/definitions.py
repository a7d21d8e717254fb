"""The code location."""

import gc

# What is imported here lives as long as the process: collecting garbage meanwhile finds none and costs 0.4 s.
gc.disable()

from vp_pipeline.build import build_definitions  # noqa: E402
from vp_pipeline.dagster_internals.errors import recorded_as_sentence  # noqa: E402
from vp_pipeline.failures import PipelineError  # noqa: E402
from vp_pipeline.settings import load_settings  # noqa: E402

with recorded_as_sentence(PipelineError):  # the UI shows why it cannot be loaded
    defs = build_definitions(load_settings())
gc.enable()
