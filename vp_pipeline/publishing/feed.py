"""What changed in a published mart since a moment: its rows of the table `changes`, netted per key, with the values
that consumers read now.

Here: whether the changes lead from that moment to the current publication, and what they amount to. Not here: how they
are recorded (`changes.py`), and what is done with them (`delivery/change_export.py`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vp_pipeline.publishing.publication import Moment, Publication
from vp_pipeline.publishing.reader import OpenPublication, PublishedMarts

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = "_key"


class FeedGapError(Exception):
    """The changes do not lead from the moment to the current publication: the mart is to be read as a whole. The
    message completes "because ..."."""


@dataclass(frozen=True)
class Changed:
    """What changed in a mart. `rows`: those that were added or altered, as they are now, in any order; a row that was
    altered and altered back is among them. `gone`: the keys of those that were removed, in the mart's types."""

    rows: "pa.Table"
    gone: "pa.Table"


def changed_since(
    marts: PublishedMarts, found: OpenPublication, mart: str, key: Sequence[str], since: Moment
) -> Changed:
    """What leads from what consumers read at a moment to what they read now. A row that was added and removed since is
    in neither part. `found`: the publication that `marts` has open. `key`: the columns of the mart's grain.

    Raises:
        FeedGapError: the changes do not lead from there to here.
        PermanentError: there is no such mart.
        TransientError: another build was published meanwhile.
    """
    relation = marts.relation(found.publication, mart)
    _require_history(found.publication, since)
    only, parameters = "mart = ? and published_at > cast(? as timestamp)", [mart, f"{since.at}"]
    netted = found.query(
        "select key, min_by(operation, published_at) as first_one, max_by(operation, published_at) as last_one "
        f"from {marts.changes} where {only} group by key",
        parameters,
    ).to_pylist()
    if any(each["key"] is None for each in netted):
        raise FeedGapError("it was not published before, or its rows had another key")
    row_key = marts.store.json_text({name: f"whole.{name}" for name in sorted(key)})
    rows = found.query(
        f"select whole.*, changed.key as {_KEY} from {relation} as whole join "
        f"(select distinct key from {marts.changes} where {only}) as changed on {row_key} = changed.key",
        parameters,
    )
    there = {each["key"] for each in netted if each["last_one"] != "delete"}
    if set(rows.column(_KEY).to_pylist()) != there:
        raise FeedGapError(f"the changes of {mart} and its rows do not have the same keys")
    gone = [each["key"] for each in netted if each["last_one"] == "delete" and each["first_one"] != "insert"]
    rows = rows.drop_columns([_KEY])
    return Changed(rows, typed_keys(gone, rows.schema, key))


def _require_history(publication: Publication, since: Moment) -> None:
    if since in publication.history:
        return
    if publication.changes_since is not None and since.at < publication.changes_since:
        raise FeedGapError(f"the changes are kept since {publication.changes_since:%Y-%m-%d %H:%M} UTC only")
    raise FeedGapError(
        f"build {since.build_id} of {since.at:%Y-%m-%d %H:%M} UTC is not among what consumers are recorded to have read"
    )


def typed_keys(keys: Sequence[str], schema: "pa.Schema", names: Sequence[str]) -> "pa.Table":
    """The keys of the table `changes` as columns. An engine writes numbers and times into JSON in its own way; they get
    the types of the mart, `schema`.

    Raises:
        FeedGapError: a value is not of its column's type.
    """
    import pyarrow as pa

    values: list[Mapping[str, object]] = [json.loads(key, parse_int=str, parse_float=str) for key in keys]
    try:
        columns = [pa.array(_texts(values, name), pa.string()).cast(schema.field(name).type) for name in names]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise FeedGapError(f"the keys of its changes are not as its columns: {error}") from None
    return pa.table(columns, schema=pa.schema([schema.field(name) for name in names]))


def _texts(values: Sequence[Mapping[str, object]], name: str) -> Iterator[str | None]:
    for each in values:
        value = each.get(name)
        yield str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
