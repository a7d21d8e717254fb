"""A lake's objects in an S3 bucket.

Here: whole objects or none (as a put is), pages of listings, bounded retries, encryption, and S3's errors as ours.
Not here: what a lake promises (`objects.py`).

Through the client of dagster-aws's resource (`s3_resource.py`) and not through s3fs: no event loop of its own, no cache
of listings that goes stale while Airbyte writes, and one place for retries and timeouts.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from vp_pipeline.failures import PermanentError, PipelineError, TransientError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from dagster_aws.s3 import S3Resource
    from mypy_boto3_s3 import S3Client

# What is larger than this while being written is buffered on the disk, not in memory.
_IN_MEMORY = 64 * 1024 * 1024
_EXPIRED = ("ExpiredToken", "RequestExpired", "ExpiredTokenException")
_DENIED = ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AllAccessDisabled")
_REMEDIES = {
    **dict.fromkeys(_EXPIRED, "Sign in to AWS again, then run the same day again."),
    **dict.fromkeys(_DENIED, "Give the pipeline's role its policy (infra/aws) or correct its keys, then run again."),
    "NoSuchBucket": "Create the bucket (infra/aws) or correct VP_LAKE_URL.",
}
# Of a conditional put: the object is another one by now, is being written, or is gone.
_WRITTEN_BY_ANOTHER = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
_BUSY = ("SlowDown", "Throttling", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable")


@dataclass(frozen=True)
class S3Store:
    """The objects below `url` (`s3://bucket/folder`), through the client of `s3`.

    `sse`, `kms_key`: how what is written is encrypted; None: as the bucket has it.
    """

    url: str
    s3: "S3Resource"
    sse: Literal["AES256", "aws:kms"] | None = None
    kms_key: str | None = None

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            yield cast(BinaryIO, file)
            file.seek(0)
            with self._pipeline_errors("written", path):
                # One put, however large a part of a sync is: an object is there as a whole or not at all.
                self._client.put_object(
                    Bucket=self._bucket, Key=self._key(path), Body=cast(BinaryIO, file), **self._encryption()
                )

    def read(self, path: str) -> bytes | None:
        with self._pipeline_errors("read", path):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=self._key(path))["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None

    def read_tagged(self, path: str) -> tuple[bytes, str] | None:
        with self._pipeline_errors("read", path):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._key(path))
                return found["Body"].read(), found["ETag"]
            except self._client.exceptions.NoSuchKey:
                return None

    def write_if(self, path: str, content: bytes, tag: str | None) -> str | None:
        from botocore.exceptions import ClientError

        condition: dict[str, Any] = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with self._pipeline_errors("written", path):
            try:
                written = self._client.put_object(
                    Bucket=self._bucket, Key=self._key(path), Body=content, **condition, **self._encryption()
                )
                return written["ETag"]
            except ClientError as error:
                if error.response["Error"]["Code"] in _WRITTEN_BY_ANOTHER:
                    return None
                raise

    def size(self, path: str) -> int | None:
        from botocore.exceptions import ClientError

        with self._pipeline_errors("read", path):
            try:
                return self._client.head_object(Bucket=self._bucket, Key=self._key(path))["ContentLength"]
            except ClientError as error:
                # The response to a HEAD has no body, so its only error code is the status.
                if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                    return None
                raise

    def delete(self, path: str) -> None:
        with self._pipeline_errors("deleted", path):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(path))

    def list(self, folder: str, prefix: str) -> Iterator[tuple[str, int, float]]:
        root = self._key("")
        keys = f"{self._key(folder)}/{prefix}" if folder else f"{root}{prefix}"
        with self._pipeline_errors("listed", folder):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=keys):
                for item in page.get("Contents", []):
                    yield item["Key"][len(root) :], item["Size"], item["LastModified"].timestamp()

    def try_to_write(self, path: str) -> None:
        """Whether an object may be written, without writing one: S3 refuses content that is not of its checksum, and
        whoever may not write is refused before that. A store that compares no checksums has the object then.

        Raises:
            PermanentError: S3 denies it.
        """
        from botocore.exceptions import ClientError

        of_nothing = "1B2M2Y8AsgTpgAmY7PhCfg=="  # the MD5 of no bytes
        with self._pipeline_errors("written", path):
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=self._key(path), Body=b"probe", ContentMD5=of_nothing, **self._encryption()
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("BadDigest", "InvalidDigest"):
                    raise

    def location(self, path: str) -> str:
        return f"{self.url}/{path}" if path else self.url

    def _encryption(self) -> dict[str, Any]:
        if self.sse is None:
            return {}
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
        return cast("S3Client", self.s3.get_client())

    @contextmanager
    def _pipeline_errors(self, verb: str, path: str) -> Iterator[None]:
        """Raises the errors of S3 and of its client as ours; `verb`: what was done with the object."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise self._rejection(f"The object {self.location(path)} cannot be {verb}: ", error) from None
        except BotoCoreError as error:
            raise self._client_failure(f"The object {self.location(path)} cannot be {verb}: ", error) from None

    def _client_failure(self, message: str, error: "BotoCoreError") -> PipelineError:
        """Why no response came."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError, NoCredentialsError, NoRegionError

        if isinstance(error, NoCredentialsError | NoRegionError):
            return PermanentError(f"{message}{error} Set AWS_PROFILE, or AWS's own variables, or run with a role.")
        if isinstance(error, HTTPClientError | IncompleteReadError):
            return TransientError(
                f"{message}{self.s3.endpoint_url or 'S3'} does not respond ({type(error).__name__}), "
                f"{self.s3.max_attempts} times. Run it again later, and check VP_S3_ENDPOINT_URL and the network."
            )
        return PermanentError(f"{message}{error}")

    def _rejection(self, message: str, error: "ClientError") -> PipelineError:
        """Why S3 rejected a request."""
        code, reason = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        message += f"S3 responds {code} ({status})."
        if code in _REMEDIES:
            return PermanentError(f"{message} {_REMEDIES[code]}")
        if status >= 500 or code in _BUSY:
            return TransientError(f"{message} It was tried {self.s3.max_attempts} times. Run it again later.")
        return PermanentError(f"{message} {reason}".rstrip())
