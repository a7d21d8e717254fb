"""The code location."""

from vp_pipeline.build import build_definitions
from vp_pipeline.settings import load_settings

defs = build_definitions(load_settings())
