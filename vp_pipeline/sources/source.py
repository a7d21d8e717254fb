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
    """Where a stream's answers come from.

    `base_url` is given to the connector; `label` tells people and the sync record which vendor, sandbox or recording
    answered. `entities` are the things to ask for where the settings name none.
    """

    base_url: str
    label: str
    entities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """One Airbyte stream of a source, and the tables it is decoded into.

    `replay`: "window" if the API can be asked again for a past day, "snapshot" if it only tells the present.
    `charts`: for some tables, what a day of it looks like, as Markdown.
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
    """One system that is ingested. `connector_config` gives the connector its configuration for an origin."""

    name: str
    description: str
    manifest: Path
    streams: tuple[Stream, ...]
    api_key: Callable[[Settings], str | None]
    api_url: Callable[[Settings], str]
    connector_config: Callable[[Settings, Origin], dict[str, object]]
