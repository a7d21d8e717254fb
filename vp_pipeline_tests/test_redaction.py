"""Secrets are replaced in every spelling."""

import json
from urllib.parse import quote, quote_plus

import pytest

from vp_pipeline.redaction import Redaction

SECRET = 'pass wörd/"odd"&signs=100%'


@pytest.mark.parametrize(
    "spelling", [SECRET, quote(SECRET), quote(SECRET, safe="").lower(), quote_plus(SECRET), json.dumps(SECRET)[1:-1]]
)
def test_every_spelling_of_a_secret_is_replaced(spelling: str) -> None:
    assert Redaction([SECRET])(f"https://api/?key={spelling}&asin=B0") == "https://api/?key=***&asin=B0"


def test_a_landed_line_without_a_secret_is_unchanged() -> None:
    line = json.dumps({"a": "ü"}).encode()
    assert Redaction([SECRET]).line(line) is line
    assert Redaction([""])("nothing is a secret") == "nothing is a secret"
    assert Redaction(["key"]).line(b'{"echo": "key"}\n') == b'{"echo": "***"}\n'
