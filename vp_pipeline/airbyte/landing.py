"""Records to objects on the lake, exactly as Airbyte's S3 destination (JSONL, gzip, append) writes them.

Here: names, parts, and the envelope around a record. Not here: where records come from
(`connector.py`), and how landed objects are read.

Data land as they are. A record that repeats a secret of the connection (an API may echo its key) cannot: it lands
masked, and its envelope reports that as Airbyte reports its own changes. So bronze counts it (`unaltered`), and silver
puts it in quarantine.
"""

import gzip
import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain

import orjson

from vp_pipeline.airbyte.connector import Record
from vp_pipeline.lake.objects import Lake
from vp_pipeline.redaction import Redaction

_MASKED = {"field": "_airbyte_data", "change": "MASKED", "reason": "the response repeats a secret"}
# Airbyte's level is 6. Measured on 45 MB of product responses: 6 s more than level 1, for 7 % fewer bytes.
_GZIP_LEVEL = 1


class Landing:
    """The objects of one sync: `records` and `bytes` (on the lake) count those in finished `objects`.

    `job_id` is the moment the sync started, in unix milliseconds: it is the EPOCH in the names. `landed`: objects that
    it has already, of a record each.
    """

    def __init__(
        self,
        lake: Lake,
        source: str,
        stream: str,
        job_id: int,
        part_bytes: int,
        secrets: tuple[str, ...] = (),
        landed: Sequence[str] = (),
    ) -> None:
        self.objects = list(landed)
        self.records = len(landed)
        self.bytes = sum(lake.size(path) for path in landed)
        self.started_at = datetime.fromtimestamp(job_id / 1000, UTC)
        self._lake = lake
        self._job_id = job_id
        self._part_bytes = part_bytes
        self._redact = Redaction(secrets)
        # ${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_
        self._prefix = f"bronze/{source}/{stream}/{self.started_at:%Y_%m_%d}_{job_id}_"

    def land(self, records: Iterator[Record]) -> None:
        """Writes every record, part by part; without records no object is written.

        Raises:
            PermanentError: the lake cannot be written.
        """
        number = 1 + max((int(path.rpartition("_")[2].partition(".")[0]) for path in self.objects), default=-1)
        for first in records:
            self._land_part(f"{self._prefix}{number}.jsonl.gz", chain([first], records))
            number += 1

    def _land_part(self, path: str, records: Iterator[Record]) -> None:
        count = size = 0
        # No file name and no time in the header: the same records give the same bytes.
        with (
            self._lake.writing(path) as file,
            gzip.GzipFile("", "wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0) as compressed,
        ):
            for record in records:
                line = self._line(record, [])
                if self._redact.may_be_in(line):
                    masked = Record(self._redact.masked(record.data), record.extracted_at)
                    line = line if masked == record else self._line(masked, [_MASKED])
                compressed.write(line)
                count += 1
                size += len(line)
                if size > self._part_bytes:
                    break
        self.objects.append(path)
        self.records += count
        self.bytes += self._lake.size(path)

    def _line(self, record: Record, changes: list[dict[str, str]]) -> bytes:
        envelope = {
            "_airbyte_raw_id": str(uuid.uuid4()),
            "_airbyte_extracted_at": record.extracted_at,
            "_airbyte_generation_id": 0,
            "_airbyte_meta": {"sync_id": self._job_id, "changes": changes},
            "_airbyte_data": record.data,
        }
        try:
            return orjson.dumps(envelope, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:
            # Integers of more than 64 bits and lone surrogates: the slower encoder takes them as they are.
            return json.dumps(envelope, separators=(",", ":")).encode() + b"\n"
