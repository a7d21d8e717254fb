"""`python -m vp_pipeline.generators.parse`: the dbt project parsed for every environment, before a process needs it.

For images, and for CI: it connects to nothing and needs no credential. Without VP_SOURCES the models of all sources.
"""

import os

from vp_pipeline.dbt.environment import SOURCES_VARIABLE, TARGETS
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.registry import SOURCES


def main() -> None:
    """Parses the project where a file of it is newer, and prints where the manifests are."""
    every = {SOURCES_VARIABLE: ",".join(source.name for source in SOURCES)}
    for environment in TARGETS:
        settings = load_settings({**every, **os.environ, "VP_ENV": environment}, needed=())
        print(f"{environment}: {manifest_path(settings)}")


if __name__ == "__main__":
    main()
