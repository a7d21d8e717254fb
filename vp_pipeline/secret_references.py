"""Secrets by reference: a mounted file, or a secret of AWS Secrets Manager, in place of the value itself.

Here: what a reference is, and its value, which is looked up when it is used and never before. Not here: which settings
are secrets (`settings.py`), and replacing values in texts (`redaction.py`).

A file is read each time. What Secrets Manager responds is kept for `KEPT_SECONDS`: so long a rotated secret may be the
previous one, without a restart of anything.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from vp_pipeline.failures import PermanentError, PipelineError, TransientError
from vp_pipeline.variables import PROJECT_ROOT

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

KEPT_SECONDS = 300.0
# After a failure nothing is looked up for the sake of redaction alone.
_PAUSE_SECONDS = 60.0
_IN_MANAGER = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):\d{12}:secret:[\w/+=.@-]+)(?:#(?P<key>.+))?"
)
_BUSY = frozenset({"InternalServiceError", "InternalServiceErrorException", "ThrottlingException", "Throttling"})
# Of this process: the value of a reference and when it was looked up; every value that it has had; the last failure.
_current: dict[str, tuple[str, float]] = {}
_known: dict[str, set[str]] = {}
_failed_at: dict[str, float] = {}


class SecretReference(SecretStr):
    """A secret of which only its place is known. `variable`: the setting's; `place`: a path, or an ARN. Its text,
    length and hash are of the place, so that nothing looks the value up by accident."""

    def __init__(self, variable: str, place: str) -> None:
        super().__init__("")
        self.variable, self.place = variable, place

    def get_secret_value(self) -> str:
        """The value now.

        Raises:
            PermanentError: the place does not have it, or refuses it.
            TransientError: Secrets Manager does not respond.
        """
        value = self._looked_up()
        _known.setdefault(self.place, set()).add(value)
        return value

    def _looked_up(self) -> str:
        raise NotImplementedError

    def _display(self) -> str:
        return f"{self.variable} from {self.place}"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((self.variable, self.place))

    def __len__(self) -> int:
        return len(self.place)


class SecretFile(SecretReference):
    """The content of a file, without the line's end."""

    def _looked_up(self) -> str:
        try:
            value = Path(self.place).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text (UTF-8)"
            raise PermanentError(
                f"{self.variable} names the file {self.place}, which cannot be read: {reason}. Mount it there, or "
                f"correct {self.variable}."
            ) from None
        if not value:
            raise PermanentError(
                f"{self.variable} names the file {self.place}, which is empty. Write the secret to it."
            )
        return value


class ManagedSecret(SecretReference):
    """A secret of AWS Secrets Manager: `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`, and `#key` where its value
    is a JSON object. Through dagster-aws; keys and role come by AWS's usual chain."""

    def _looked_up(self) -> str:
        kept = _current.get(self.place)
        if kept is not None and time.monotonic() - kept[1] < KEPT_SECONDS:
            return kept[0]
        try:
            value = self._requested()
        except PipelineError:
            _failed_at["secretsmanager"] = time.monotonic()
            raise
        _current[self.place] = (value, time.monotonic())
        return value

    def _requested(self) -> str:
        # A deferred import: it takes seconds, and most processes look nothing up.
        from botocore.exceptions import BotoCoreError, ClientError
        from dagster_aws.secretsmanager import SecretsManagerResource

        found = _IN_MANAGER.fullmatch(self.place)
        assert found is not None
        try:
            client = SecretsManagerResource(region_name=found["region"], max_attempts=3).get_client()
            text = client.get_secret_value(SecretId=found["arn"]).get("SecretString")
        except ClientError as error:
            raise self._rejection(error) from None
        except BotoCoreError as error:
            raise TransientError(
                f"{self._named()} cannot be looked up now: Secrets Manager does not respond, or there are no keys for "
                f"AWS ({type(error).__name__}). Run it again later, and check AWS_PROFILE and the network."
            ) from None
        return self._part(text, found["key"])

    def _rejection(self, error: "ClientError") -> PipelineError:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        message = f"{self._named()} cannot be looked up: Secrets Manager responds {code} ({status})."
        if code in _BUSY or status >= 500:
            return TransientError(f"{message} Run it again later.")
        if code == "ResourceNotFoundException":
            return PermanentError(f"{message} Create the secret, or correct {self.variable}.")
        return PermanentError(f"{message} Allow the pipeline's role secretsmanager:GetSecretValue on it (infra/aws).")

    def _part(self, text: str | None, key: str | None) -> str:
        if text and key is None:
            return text
        try:
            value = json.loads(text or "")[key]
        except (ValueError, KeyError, TypeError):
            value = None
        if not isinstance(value, str) or not value:
            what = f"has no text under the key {key} of a JSON object" if key else "has no text"
            raise PermanentError(f"{self._named()} {what}. Correct the secret, or {self.variable}.")
        return value

    def _named(self) -> str:
        return f"{self.variable}, {self.place},"


def file_variable(variable: str) -> str:
    """The variable that names a file with the secret of another one."""
    return f"{variable}_FILE"


def given_secret(variable: str, environ: Mapping[str, str]) -> SecretStr | None:
    """A secret as its variable or that of its file has it: the value, or a reference that nothing has looked up. None:
    it is not set.

    Raises:
        ValueError: both are set, or it begins as a reference and is none.
    """
    value, file = environ.get(variable), environ.get(file_variable(variable))
    if value and file:
        raise ValueError(f"{file_variable(variable)} is set too: set one of them")
    if file:
        return SecretFile(file_variable(variable), str((PROJECT_ROOT / Path(file).expanduser()).resolve()))
    if not value or not re.match(r"arn:aws[a-z-]*:secretsmanager:", value):
        return SecretStr(value) if value else None
    if _IN_MANAGER.fullmatch(value) is None:
        raise ValueError(
            "it is no reference: write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, and #KEY where the secret is "
            "a JSON object"
        )
    return ManagedSecret(variable, value)


def known_values(secrets: Iterable[SecretStr]) -> Iterator[str]:
    """The values to replace in texts: each secret's now, as far as it can be looked up, and those that a reference has
    had in this process. Never fails."""
    for secret in secrets:
        if not isinstance(secret, SecretReference):
            yield secret.get_secret_value()
            continue
        pausing = time.monotonic() - _failed_at.get("secretsmanager", -_PAUSE_SECONDS) < _PAUSE_SECONDS
        if not (pausing and isinstance(secret, ManagedSecret)):
            with suppress(PipelineError):
                secret.get_secret_value()
        yield from sorted(_known.get(secret.place, ()))
