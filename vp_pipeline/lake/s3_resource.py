"""dagster-aws's resource for S3, with the lake's timeouts.

Here: the client that the lake's store sends with. Not here: objects (`s3.py`). Imported in production only: dagster-aws
takes a second.
"""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from dagster_aws.s3 import S3Resource
from pydantic import Field

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class LakeS3(S3Resource):
    """S3, where the lake is. Keys, role and region come by AWS's usual chain and are in no field."""

    connect_seconds: float = Field(default=10, description="Seconds after which a connection attempt is given up.")
    read_seconds: float = Field(default=60, description="Seconds without a byte after which a request is given up.")

    def get_client(self) -> "S3Client":
        """As dagster-aws's own, which has no timeouts to set, and with paths that an emulator understands."""
        config = Config(
            retries={"max_attempts": self.max_attempts, "mode": "standard"},
            connect_timeout=self.connect_seconds,
            read_timeout=self.read_seconds,
            s3={"addressing_style": "path"} if self.endpoint_url else {},
        )
        return boto3.session.Session(profile_name=self.profile_name).client(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.endpoint_url,
            use_ssl=self.use_ssl,
            verify=self.verify,
            config=config,
        )
