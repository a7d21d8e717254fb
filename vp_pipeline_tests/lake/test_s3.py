"""A lake in a bucket: pages, encryption, retries and S3's errors. For every store see `test_objects.py`."""

import dataclasses
import threading
from urllib.parse import parse_qs

import pytest
from werkzeug.wrappers import Request, Response

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.lake.s3 import S3Store
from vp_pipeline.lake.s3_resource import LakeS3
from vp_pipeline_tests.stand_ins.s3 import S3StandIn, refusal, times

pytestmark = pytest.mark.integration


@pytest.fixture
def bucket(s3: S3StandIn) -> S3Store:
    return s3.new_lake()


def test_a_listing_of_more_than_a_page_is_whole(s3: S3StandIn, bucket: S3Store) -> None:
    client, name = s3.client(), bucket.url.split("/")[2]
    for n in range(1_003):
        client.put_object(Bucket=name, Key=f"lake/bronze/{n:04}", Body=b"")
    s3.requests.clear()
    assert [info.path for info in Lake(bucket).list("bronze")] == [f"bronze/{n:04}" for n in range(1_003)]
    assert len([1 for line in s3.requests if "continuation-token" in parse_qs(line.partition("?")[2])]) == 1


def test_the_buckets_own_key_is_used_unless_another_encryption_is_set(s3: S3StandIn) -> None:
    store = s3.new_lake()
    bucket = store.url.split("/")[2]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/terraform"}}
    s3.client().put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    Lake(store).write("a", b"x")
    head = s3.client().head_object(Bucket=bucket, Key="lake/a")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/terraform")


@pytest.mark.parametrize(("sse", "key"), [("AES256", None), ("aws:kms", None), ("aws:kms", "alias/lake")])
def test_what_is_written_is_encrypted_as_configured(s3: S3StandIn, sse: str, key: str | None) -> None:
    store = s3.new_lake(sse=sse, kms_key=key)
    Lake(store).write("a", b"x")
    head = s3.client().head_object(Bucket=store.url.split("/")[2], Key="lake/a")
    assert head["ServerSideEncryption"] == sse
    assert head.get("SSEKMSKeyId") == key


def test_a_busy_bucket_is_retried(s3: S3StandIn, bucket: S3Store) -> None:
    lake = Lake(bucket)
    lake.write("a", b"x")
    s3.faults.append(times(2, lambda request: refusal(503, "SlowDown")))
    assert lake.read("a") == b"x"


def test_a_bucket_that_stays_busy_is_a_transient_failure(s3: S3StandIn, bucket: S3Store) -> None:
    bucket = dataclasses.replace(bucket, s3=LakeS3(endpoint_url=s3.url, max_attempts=2))
    s3.faults.append(lambda request: refusal(503, "SlowDown"))
    with pytest.raises(
        TransientError, match=r"s3://.*/lake/a cannot be written: S3 responds SlowDown \(503\).*tried 2"
    ):
        Lake(bucket).write("a", b"x")
    s3.faults.clear()
    assert not Lake(bucket).exists("a")


def test_a_bucket_that_is_too_slow_is_a_transient_failure(s3: S3StandIn) -> None:
    released = threading.Event()

    def slow(request: Request) -> Response | None:
        released.wait(10)
        return None

    s3.faults.append(slow)
    store = S3Store("s3://a-bucket/lake", LakeS3(endpoint_url=s3.url, read_seconds=0.2, max_attempts=1))
    with pytest.raises(TransientError, match="does not respond \\(ReadTimeoutError\\)"):
        Lake(store).read("a")
    released.set()


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "AccessDenied", r"AccessDenied \(403\)\. Give the pipeline's role its policy"),
        (400, "ExpiredToken", r"ExpiredToken \(400\)\. Sign in to AWS again"),
        (404, "NoSuchBucket", r"NoSuchBucket \(404\)\. Create the bucket"),
    ],
)
def test_what_a_retry_cannot_fix_is_raised_at_once(
    s3: S3StandIn, bucket: S3Store, status: int, code: str, message: str
) -> None:
    s3.faults.append(lambda request: refusal(status, code))
    s3.requests.clear()
    with pytest.raises(PermanentError, match=message):
        Lake(bucket).read("a")
    assert len(s3.requests) == 1


def test_without_keys_the_chain_is_named(s3: S3StandIn, bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(PermanentError, match="Set AWS_PROFILE"):
        Lake(bucket).read("a")
