"""The formats of the documents that the project stores and reads again, each with a version.

Here: how a document of an earlier version is read, and how one of a newer version is refused. Not here: the documents
(beside the code that writes them), and the tables of the warehouse (`warehouse/migrations.py`).

A document of version 1 has no `version`: it is written as it was before there were versions, so its bytes, and every
checksum of them that another document names, stay the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vp_pipeline.documents import parsed
from vp_pipeline.failures import DamagedDataError, PermanentError

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
_FIELD = "version"


@dataclass(frozen=True)
class StoredFormat:
    """A kind of document. `upgrades`: what makes a document of version 2 of one of version 1, 3 of 2, and so on. One
    that was published is never edited: another change of the format is another upgrade."""

    name: str
    upgrades: tuple[Upgrade, ...] = ()

    @property
    def version(self) -> int:
        """The version that is written."""
        return 1 + len(self.upgrades)

    def mark(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A document as it is written, with its version."""
        return {_FIELD: self.version, **document} if self.upgrades else {**document}

    def parse(self, content: bytes, where: str, remedy: str) -> dict[str, Any]:
        """A stored document, from its bytes; see `read`. `remedy`: what to do where it cannot be read.

        Raises:
            DamagedDataError: it is no document of this format.
            PermanentError: it is of a newer version.
        """
        stored = parsed(content, where, remedy)
        try:
            return self.read(stored, where)
        except (KeyError, TypeError, AttributeError):
            raise DamagedDataError(f"{where} is no {self.name}. {remedy}") from None

    def read(self, stored: Mapping[str, Any], where: str) -> dict[str, Any]:
        """A stored document as the present version has it, without its version. `where`: names it in a message.

        Raises:
            PermanentError: it is of a newer version.
        """
        document = dict(stored)
        found = document.pop(_FIELD, 1)
        if found > self.version:
            raise PermanentError(
                f"{where} is of version {found} of the {self.name}, and this code knows up to {self.version}: a newer "
                "version of the project has written it. It was not changed. Use that version here too, or go back as "
                "docs/upgrades.md describes."
            )
        for upgrade in self.upgrades[found - 1 :]:
            document = upgrade(document)
        return document


def renamed_values(field: str, names: Mapping[str, str]) -> Upgrade:
    """An upgrade: the values `names` of a field are called otherwise."""

    def upgrade(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, field: names.get(document[field], document[field])}

    return upgrade


def renamed_field(before: str, after: str) -> Upgrade:
    """An upgrade: a field, where it is there, has another name."""

    def upgrade(document: dict[str, Any]) -> dict[str, Any]:
        return {after if name == before else name: value for name, value in document.items()}

    return upgrade


def within(field: str, upgrade: Upgrade) -> Upgrade:
    """An upgrade: the document in a field is upgraded."""

    def upgrade_field(document: dict[str, Any]) -> dict[str, Any]:
        inner = document.get(field)
        return {**document, field: upgrade(inner)} if isinstance(inner, dict) else document

    return upgrade_field


def with_default(**fields: object) -> Upgrade:
    """An upgrade: fields that an earlier version did not have, with what they are there."""

    def upgrade(document: dict[str, Any]) -> dict[str, Any]:
        return {**fields, **document}

    return upgrade
