"""What a source and a stream are.

Here: the types that a folder under `sources/` fills in. Not here: any particular source (see `registry.py` for all).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.decoder_code import DecoderCode, decoder_code
from vp_pipeline.sources.earlier import Earlier
from vp_pipeline.sources.landed import Decoded, Inspection, LandedLine
from vp_pipeline.sources.source_settings import ConnectorSettings, SourceSettings
from vp_pipeline.sources.stream_days import Unit

if TYPE_CHECKING:
    import pyarrow as pa

# `window`: the API still serves a past day, as it was. `snapshot`: it serves the present only. `updated`: it serves
# what was last updated on a day, in its present state. Of a past day that is what has not been updated again since; the
# rest is of a later day, in a newer state. So the newest state of everything is there when every day is, whenever each
# was requested; and requesting a day again can only take rows out of it. `appended`: a topic, which is consumed once; a
# day has what happened on it, and what comes late is added to its day.
ReplayMode = Literal["window", "snapshot", "updated", "appended"]
Intake = Literal["airbyte", "topic"]


@dataclass(frozen=True)
class Origin:
    """Where a stream's responses come from.

    `base_url` is passed to the connector; `label` names the vendor, sandbox or recording, for people and in the sync
    record. `entities` are what to request where the settings name nothing. `recorded`: the responses are recordings of
    earlier moments; `left_out`: what in the recordings is none, each as a sentence with its file.
    """

    base_url: str
    label: str
    entities: tuple[str, ...] = ()
    recorded: bool = False
    left_out: tuple[str, ...] = ()

    @classmethod
    def of_vendor(cls, settings: ConnectorSettings) -> "Origin":
        """The vendor's own API."""
        return cls(base_url=settings.base_url, label=settings.base_url)


@dataclass(frozen=True)
class SyncRequest:
    """What a sync requests. `entities`: each once, as the source names it; none where everything that there is of a day
    is requested. `days` of history. `left_out`: what was not requested although it should have been, each as a
    sentence. `recent`: of which entities the last days only, and how many. `why_whole`: why all of `days` of the
    others, where it depends on what earlier days have (`Asking`)."""

    entities: tuple[str, ...]
    days: int
    left_out: tuple[str, ...] = ()
    recent: Mapping[str, int] = field(default_factory=dict)
    why_whole: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entity:
    """What an answer of a stream is about, such as a product. `columns`: its key in the tables of RAW. `key`: the one
    column of the models that has these columns as text, joined by `-`. A request has them joined by `:`."""

    columns: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class Oracle:
    """The vendor's own figures of what its answers say, which a model of MONITORING compares with ours.

    `model`: that model. It has the columns `series`, `figure`, `our_value`, `difference`, `status` ("agrees", "agrees
    without outliers", "not comparable", "differs") and `finding`. `key`: its column of whose figure it is. `value`: its
    column of the vendor's figures. `vendor`: whose they are, for people. `needs_whole`: the findings of entities whose
    whole history is to be requested.
    """

    model: str
    key: str
    value: str
    vendor: str
    needs_whole: tuple[str, ...] = ()

    @property
    def agrees(self) -> str:
        """The test that no figure differs."""
        return f"{self.model}_agrees"

    @property
    def has_no_exceptions(self) -> str:
        """The test, a warning, that every figure could be compared as it is."""
        return f"{self.model}_has_no_exceptions"


@dataclass(frozen=True)
class Stream:
    """One Airbyte stream of a source, and the tables it is decoded into.

    `replay`: whether a past day can be requested again.
    `decoder` and `inspection`: the modules of its functions `decode` and `inspect`; imported at the first use, since
    the code location needs neither. `charts`: for some tables, a chart of a day's rows, as Markdown. `entity`: by what
    its rows can be excluded; None: by day only. The first table has a row of every entity. `lasting`: published tables
    whose entities consumers expect to find again, with the vendor's own key of them.
    """

    source: str
    name: str
    description: str
    replay: ReplayMode
    tables: tuple[Table, ...]
    decoder: str
    inspection: str
    charts: Mapping[str, Callable[["pa.Table"], str]] = field(default_factory=dict)
    entity: Entity | None = None
    lasting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unit(self) -> Unit:
        """Its source and its name."""
        return self.source, self.name

    @property
    def intake(self) -> Intake:
        """What its records come from."""
        return "topic" if self.replay == "appended" else "airbyte"

    @property
    def is_of_changes(self) -> bool:
        """Whether a day has what has changed on it, and nothing else: nothing may have."""
        return self.replay in ("updated", "appended")

    @cached_property
    def code(self) -> DecoderCode:
        """The code that decodes it: the modules of the decoder and the contracts of the tables."""
        return decoder_code(self.decoder, self.tables)

    def decode(self, lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
        """Landed lines as tables, by name. A response of before `not_before` (UTC) is not of the day, and rejected."""
        decoded: dict[str, Decoded] = import_module(self.decoder).decode(lines, not_before)
        return decoded

    def inspect(self, lines: Iterable[LandedLine]) -> Inspection:
        """Counts over landed lines."""
        inspection: Inspection = import_module(self.inspection).inspect(lines)
        return inspection


@dataclass(frozen=True)
class Batches:
    """How a connector requests several entities at once, at a price.

    `name`: of its configuration's list of requests, each of which is one value of the stream's partition and has at
    most one record. `requested`: the field of a record that names its request. `entities`: what a request is for.
    `halves`: the two requests of half the entities each; none, where it is for one. `tokens`: what requests cost at
    most, by the configuration.
    `consumed`: the field of a record with what it has cost. `outlook`: what is left to pay with after a record, and how
    long the rest of the requests takes, in words.
    """

    name: str
    requested: str
    consumed: str
    entities: Callable[[str], tuple[str, ...]]
    halves: Callable[[str], tuple[str, ...]]
    tokens: Callable[[Mapping[str, Any], Iterable[str]], int]
    outlook: Callable[[Mapping[str, Any], list[str], Mapping[str, Any]], str]


Own = TypeVar("Own", bound=SourceSettings, covariant=True)


class HasSettings(Protocol[Own]):
    """A source as far as its settings go: of which class they are."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> type[Own]: ...


@dataclass(frozen=True)
class Asking:
    """How what a day requests depends on what earlier days have.

    `days_back`: on how many of these; 0: on none, and every day requests everything. `ask`: the request of a day, from
    that of its configuration. `config`: what a configuration has of a request.
    """

    days_back: Callable[[Any], int]
    ask: Callable[[Any, SyncRequest, date, Earlier], SyncRequest]
    config: Callable[[SyncRequest], Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One system that is ingested; how, is its type (`AirbyteSource`, `TopicSource`).

    `settings` is the class of its settings. `is_available`: whether it is ingested where VP_SOURCES names none; one
    that is off until it is configured is not. `oracle`: the vendor's own figures, where it gives some. `exported_mart`:
    the mart whose changed rows are exported where this is the first source that is on and VP_EXPORT_MART names none.
    """

    name: str
    description: str
    streams: tuple[Stream, ...]
    settings: type[SourceSettings]
    exported_mart: str
    is_available: Callable[[Any], bool] = lambda _: True
    oracle: Oracle | None = None


@dataclass(frozen=True, kw_only=True)
class AirbyteSource(Source):
    """A source that Airbyte syncs, with the connector `manifest`.

    `connector_config` takes an instance of `settings` and returns the connector's configuration for an origin.
    `request_of`: what a configuration requests (None: it is not one of this connector). `of_day`: what a configuration
    has more to request a day (UTC); nothing where every day is requested alike. `incidental`: names of the
    configuration that do not change what is requested: credentials and addresses. `account`: the module whose function
    `account(settings)` requests what the vendor says of the account, as a sentence. `batches`: None, where a request is
    for one entity. `asking`: where what is requested depends on what earlier days have.
    """

    settings: type[ConnectorSettings]
    manifest: Path
    connector_config: Callable[[Any, Origin], dict[str, object]]
    request_of: Callable[[Mapping[str, Any]], SyncRequest | None]
    of_day: Callable[[date], Mapping[str, object]] = lambda _: {}
    incidental: frozenset[str] = frozenset({"api_key", "base_url"})
    account: str | None = None
    batches: Batches | None = None
    asking: Asking | None = None


def airbyte_sources(sources: Iterable[Source]) -> tuple[AirbyteSource, ...]:
    """Those that Airbyte syncs."""
    return tuple(source for source in sources if isinstance(source, AirbyteSource))
