"""What Airbyte's S3 destination asks of S3, in its order, as read in its source: its checks, a sync, an abort.

Versions from 1.5 (`S3V2Checker.kt`, `S3StreamingUpload.kt`) and before (`S3BaseChecks.kt`). Here: the requests. Not
here: what it writes (`vp_pipeline/airbyte/landing.py`), and who may (`infra/aws/policies/airbyte.json`).
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class S3Destination:
    """The destination in a role. `s3`: the role's client; `path`: `s3_bucket_path`. Its errors are botocore's."""

    s3: Any
    bucket: str
    path: str

    def check(self) -> None:
        """Since 1.5: a file of the stream `test` in the namespace `testing` is written, found and deleted."""
        folder = f"{self.path}/testing/test/"
        key = f"{folder}_EXAMPLE"
        self.upload(key, [b'{"data": 1}'])
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder)
        assert key in [item["Key"] for item in found.get("Contents", [])]
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder)

    def check_before_1_5(self) -> None:
        """A file beside the streams' folders, and one key of the whole bucket. Airbyte's setup names the location."""
        self.s3.get_bucket_location(Bucket=self.bucket)
        key = f"{self.path}/_airbyte_connection_test_{uuid.uuid4().hex}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"check-content")
        self.s3.list_objects(Bucket=self.bucket, MaxKeys=1)
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def sync(self, key: str, parts: Iterable[bytes]) -> None:
        """One object of a sync in append mode: the names that are taken are listed, then it is uploaded in parts."""
        self.s3.list_objects_v2(Bucket=self.bucket, Prefix=key.rpartition("_")[0])
        self.upload(key, parts)

    def upload(self, key: str, parts: Iterable[bytes]) -> None:
        upload = self._begin(key)
        done = [self._part(key, upload, number, part) for number, part in enumerate(parts, start=1)]
        self.s3.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": done})

    def abort(self, key: str) -> None:
        """An upload that is given up after its first part."""
        upload = self._begin(key)
        self._part(key, upload, 1, b"x")
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)

    def _begin(self, key: str) -> str:
        begun = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, Metadata={"ab-generation-id": "0"})
        return str(begun["UploadId"])

    def _part(self, key: str, upload: str, number: int, body: bytes) -> dict[str, Any]:
        sent = self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
        return {"PartNumber": number, "ETag": sent["ETag"]}
