"""What a source and a stream are.

Here: the types that a folder under `sources/` fills in. Not here: any particular source (see `registry.py` for all).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vp_pipeline.settings import Settings
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.landed import Decoded, Inspection, LandedLine

if TYPE_CHECKING:
    import pyarrow as pa

ReplayMode = Literal["window", "snapshot"]


@dataclass(frozen=True)
class Origin:
    """Where a stream's responses come from.

    `base_url` is passed to the connector; `label` names the vendor, sandbox or recording, for people and in the sync
    record. `entities` are what to request where the settings name nothing.
    """

    base_url: str
    label: str
    entities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """One Airbyte stream of a source, and the tables it is decoded into.

    `replay`: "window" if the API still serves a past day, "snapshot" if it only serves the present.
    `charts`: for some tables, a chart of a day's rows, as Markdown.
    """

    source: str
    name: str
    description: str
    replay: ReplayMode
    tables: tuple[Table, ...]
    decode: Callable[[Iterable[LandedLine]], dict[str, Decoded]]
    inspect: Callable[[Iterable[LandedLine]], Inspection]
    charts: Mapping[str, Callable[["pa.Table"], str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One system that is ingested. `connector_config` returns the connector's configuration for an origin."""

    name: str
    description: str
    manifest: Path
    streams: tuple[Stream, ...]
    api_key: Callable[[Settings], str | None]
    api_url: Callable[[Settings], str]
    connector_config: Callable[[Settings, Origin], dict[str, object]]
