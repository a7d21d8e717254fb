"""A Dagster instance whose configuration is a dagster.yaml with some of its entries replaced.

`DagsterInstance.from_config` is public, but takes the folders in the file as they are, relative to wherever the process
was started.

Private names:

- `InstanceRef`: the only way to give an instance overrides of its file.
  Guard: `dagster_internals/test_instance_config.py::test_the_folders_are_the_ones_that_were_given`
"""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef


def open_instance(home: Path, config_dir: Path, overrides: Mapping[str, object]) -> dg.DagsterInstance:
    """The instance of `home`, configured by `config_dir`'s dagster.yaml with `overrides` of its top-level entries."""
    return dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(str(home), config_dir=str(config_dir), overrides=dict(overrides))
    )
