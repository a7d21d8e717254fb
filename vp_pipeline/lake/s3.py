"""A lake's objects in an S3 bucket.

Here: whole objects or none (a put is), pages of listings, bounded retries, encryption, and S3's errors in our words.
Not here: what a lake promises (`lake.py`).

Through boto3, which dagster-aws brings, and not through s3fs: no event loop of its own, no cache of listings that goes
stale while Airbyte writes, and one place for retries and timeouts.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from vp_pipeline.failures import PermanentError, PipelineError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# boto3 waits between attempts: up to 1, 2, 4, 8 s. What then still fails is tried again by the run, after longer waits.
_ATTEMPTS = 5
# What is larger than this while being written waits on the disk, not in memory.
_IN_MEMORY = 64 * 1024 * 1024
_EXPIRED = ("ExpiredToken", "RequestExpired", "ExpiredTokenException")
_REFUSED = ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AllAccessDisabled")
_BUSY = ("SlowDown", "Throttling", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable")


@dataclass(frozen=True)
class S3Store:
    """The objects below `url` (`s3://bucket/folder`). Keys, role and region: AWS's usual chain.

    `sse`, `kms_key`: how what is written is encrypted. `endpoint`: where S3 answers, if it is not AWS's own.
    """

    url: str
    endpoint: str | None = None
    sse: Literal["AES256", "aws:kms"] = "AES256"
    kms_key: str | None = None
    connect_seconds: float = 10
    read_seconds: float = 60

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            yield cast(BinaryIO, file)
            file.seek(0)
            with self._told("written", path):
                # One put, however large a part of a sync is: an object is there as a whole or not at all.
                self._client.put_object(
                    Bucket=self._bucket, Key=self._key(path), Body=cast(BinaryIO, file), **self._encryption()
                )

    def read(self, path: str) -> bytes | None:
        with self._told("read", path):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=self._key(path))["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None

    def size(self, path: str) -> int | None:
        from botocore.exceptions import ClientError

        with self._told("read", path):
            try:
                return self._client.head_object(Bucket=self._bucket, Key=self._key(path))["ContentLength"]
            except ClientError as error:
                # The answer to a HEAD has no body, so it names no error but the status.
                if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                    return None
                raise

    def delete(self, path: str) -> None:
        with self._told("deleted", path):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(path))

    def list(self, folder: str, begins: str) -> Iterator[tuple[str, int, float]]:
        root = self._key("")
        prefix = f"{self._key(folder)}/{begins}" if folder else f"{root}{begins}"
        with self._told("listed", folder):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield item["Key"][len(root) :], item["Size"], item["LastModified"].timestamp()

    def location(self, path: str) -> str:
        return f"{self.url}/{path}" if path else self.url

    def _encryption(self) -> dict[str, Any]:
        key = {"SSEKMSKeyId": self.kms_key} if self.kms_key else {}
        return {"ServerSideEncryption": self.sse, **key}

    @property
    def _bucket(self) -> str:
        return self.url.removeprefix("s3://").partition("/")[0]

    def _key(self, path: str) -> str:
        folder = self.url.removeprefix("s3://").partition("/")[2]
        return f"{folder}/{path}" if folder else path

    @cached_property
    def _client(self) -> "S3Client":
        import boto3  # 0.3 s that the code location need not pay
        from botocore.config import Config

        config = Config(
            retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
            connect_timeout=self.connect_seconds,
            read_timeout=self.read_seconds,
            s3={"addressing_style": "path"} if self.endpoint else {},
        )
        return boto3.session.Session().client("s3", endpoint_url=self.endpoint, config=config)

    @contextmanager
    def _told(self, what: str, path: str) -> Iterator[None]:
        """What S3 and its client say, as our errors."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise self._failure(what, path, error) from None

    def _failure(self, what: str, path: str, error: Exception) -> PipelineError:
        from botocore.exceptions import (
            ClientError,
            HTTPClientError,
            IncompleteReadError,
            NoCredentialsError,
            NoRegionError,
        )

        said = f"The object {self.location(path)} cannot be {what}: "
        if isinstance(error, ClientError):
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            said += f"S3 answers {code} ({status})."
            if code in _EXPIRED:
                return PermanentError(f"{said} Sign in to AWS again, then run the same day again.")
            if code in _REFUSED:
                return PermanentError(
                    f"{said} Give the role of the pipeline its policy (infra/aws) or correct its keys, then run again."
                )
            if code == "NoSuchBucket":
                return PermanentError(f"{said} Make the bucket (infra/aws) or correct VP_LAKE_URL.")
            if status >= 500 or code in _BUSY:
                return TransientError(f"{said} It was tried {_ATTEMPTS} times. Run it again later.")
            return PermanentError(f"{said} {error.response['Error'].get('Message', '')}".rstrip())
        if isinstance(error, NoCredentialsError | NoRegionError):
            return PermanentError(f"{said}{error} Set AWS_PROFILE, or AWS's own variables, or run with a role.")
        if isinstance(error, HTTPClientError | IncompleteReadError):
            where = self.endpoint or "S3"
            return TransientError(
                f"{said}{where} does not answer ({type(error).__name__}), {_ATTEMPTS} times. Run it again later, "
                "and look at VP_S3_ENDPOINT_URL and the network."
            )
        return PermanentError(f"{said}{error}")
