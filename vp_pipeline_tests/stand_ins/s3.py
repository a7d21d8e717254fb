"""S3 and IAM on loopback: moto's server, and faults in front of it."""

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from vp_pipeline.lake.s3 import S3Store
from vp_pipeline.lake.s3_resource import LakeS3

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIASTANDIN000000001",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-stand-in/aws",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
Fault = Callable[[Request], Response | None]


class S3StandIn:
    """The server. `faults`: called in order before moto; the first response that one returns is sent."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print a line per request
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def client(self, service: str = "s3", **keys: str) -> Any:
        # A session of its own: the default one keeps the keys that it has found first.
        return boto3.session.Session().client(service, endpoint_url=self.url, region_name=KEYS["AWS_REGION"], **keys)

    def new_lake(self, **options: Any) -> S3Store:
        """A store in a new bucket that encrypts by its own key, as Terraform makes it, or as `options` have it."""
        bucket = f"lake-{uuid.uuid4().hex[:12]}"
        client = self.client()
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
        if not options.get("sse"):
            by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/lake"}
            rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
            client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        return S3Store(f"s3://{bucket}/lake", LakeS3(endpoint_url=self.url), **options)

    def close(self) -> None:
        self._server.shutdown()

    def _respond(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        self.requests.append(f"{request.method} {request.full_path}")
        for fault in list(self.faults):
            response = fault(request)
            if response is not None:
                return response(environ, start)
        return self._moto(environ, start)


@contextmanager
def s3_stand_in() -> Iterator[S3StandIn]:
    """The server, with keys for it in the environment and nothing else of AWS's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with mock.patch.dict(os.environ, {**kept, **KEYS, "AWS_EC2_METADATA_DISABLED": "true"}, clear=True):
        server = S3StandIn()
        try:
            yield server
        finally:
            server.close()


def refusal(status: int, code: str) -> Response:
    """An error as S3 writes it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Response(body, status=status, content_type="application/xml")


def times(n: int, fault: Fault) -> Fault:
    """`fault`, for the first `n` requests that it responds to."""
    left = [n]

    def limited(request: Request) -> Response | None:
        response = fault(request) if left[0] > 0 else None
        left[0] -= response is not None
        return response

    return limited
