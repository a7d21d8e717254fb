"""Secrets are replaced in every spelling, where they are whole tokens."""

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


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("key=Lab&asin=B0", "key=***&asin=B0"),
        ("Labels for a Laboratory, Collab", "Labels for a Laboratory, Collab"),
        ("'Lab' (Lab), key_Lab", "'***' (***), key_***"),
        # What is before it is the last letter of a code.
        ("%3DLab%26", "%3D***%26"),
        (r"\nLab\n \u003dLab \x3dLab", r"\n***\n \u003d*** \x3d***"),
        ("ÜLab", "ÜLab"),
    ],
)
def test_only_whole_tokens_are_replaced(text: str, redacted: str) -> None:
    assert Redaction(["Lab"])(text) == redacted


def test_a_record_is_masked_where_a_text_of_it_repeats_a_secret() -> None:
    record = {"title": "Key 0123456789", "n": 123456789, "list": [{"0123456789": None}, "x0123456789"]}
    redaction = Redaction(["0123456789", "123456789"])
    assert redaction.may_be_in(json.dumps(record).encode())
    assert redaction.masked(record) == {"title": "Key ***", "n": 123456789, "list": [{"***": None}, "x0123456789"]}


def test_a_short_secret_in_a_record_is_a_word_unless_it_is_a_whole_value() -> None:
    record = {"title": "The Lab k", "key": "Lab", "k": 1}
    assert Redaction(["Lab", "k"]).masked(record) == {"title": "The Lab k", "key": "***", "k": 1}


def test_without_a_secret_nothing_changes() -> None:
    assert not Redaction([SECRET]).may_be_in(json.dumps({"a": "ü"}).encode())
    assert Redaction([""])("nothing is a secret") == "nothing is a secret"
