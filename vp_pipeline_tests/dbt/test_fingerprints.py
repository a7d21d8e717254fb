"""A model's fingerprint changes with whatever may change its rows, and with nothing else."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.dbt.fingerprints import ModelCode, model_code, normalized, project_vars
from vp_pipeline.dbt.project import DBT_PROJECT_DIR, manifest_path
from vp_pipeline_tests.conftest import pipeline_settings

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    path = manifest_path(pipeline_settings(tmp_path_factory.mktemp("data")))
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def variables() -> dict[str, Any]:
    return project_vars(yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8")))


def node(manifest: Manifest, name: str) -> dict[str, Any]:
    return next(
        dict_ for key, dict_ in manifest["nodes"].items() if key.split(".")[:1] != ["test"] and dict_["name"] == name
    )


def changed(manifest: Manifest, variables: dict[str, Any], edit: Callable[[Manifest, dict[str, Any]], None]) -> Any:
    """The models whose own and whose whole fingerprint an edit changes, and the fingerprints after it."""
    edited, edited_variables = copy.deepcopy(manifest), dict(variables)
    edit(edited, edited_variables)
    before, after = model_code(manifest, variables), model_code(edited, edited_variables)
    own = {name for name in after if name not in before or after[name].own != before[name].own}
    whole = {name for name in after if name not in before or after[name].whole != before[name].whole}
    return own, whole, after


def descendants(code: dict[str, ModelCode], name: str) -> set[str]:
    found = {name}
    while True:
        more = {each.name for each in code.values() if found & set(each.parents)} - found
        if not more:
            return found
        found |= more


def _sql(name: str, old: str, new: str) -> Callable[[Manifest, dict[str, Any]], None]:
    def edit(manifest: Manifest, _: dict[str, Any]) -> None:
        model = node(manifest, name)
        assert old in model["raw_code"]
        model["raw_code"] = model["raw_code"].replace(old, new, 1)

    return edit


def _macro(name: str, addition: str) -> Callable[[Manifest, dict[str, Any]], None]:
    def edit(manifest: Manifest, _: dict[str, Any]) -> None:
        macro = manifest["macros"][f"macro.vp_pipeline.{name}"]
        macro["macro_sql"] = macro["macro_sql"].replace("{%", f"{addition}{{%", 1)

    return edit


def test_an_edited_expression_changes_the_model_and_everything_below_it(
    manifest: Manifest, variables: dict[str, Any]
) -> None:
    edit = _sql("fct_price_history_daily", "daily.changes\n", "daily.changes + 7777 as changes\n")
    own, whole, after = changed(manifest, variables, edit)
    assert own == {"fct_price_history_daily"}
    assert whole == descendants(after, "fct_price_history_daily")
    assert "mart_deals" in whole


@pytest.mark.parametrize("name", ["fct_price_history_daily", "core_keepa_product", "mart_deals", "stg_keepa_price"])
def test_comments_blank_space_tags_descriptions_and_tests_change_nothing(
    manifest: Manifest, variables: dict[str, Any], name: str
) -> None:
    def edit(edited: Manifest, _: dict[str, Any]) -> None:
        model = node(edited, name)
        code = model["raw_code"].replace("\n", " -- a note, isn't it\n\n  ").replace("{{", "{#- one -#}{{")
        model["raw_code"] = f"{{# of all #}}\n{code}/* the end */"
        model["description"] += " More."
        model["tags"] = model["config"]["tags"] = ["price"]
        model["config"]["meta"]["owner"] = "another@example.com"
        model["patch_path"] = "elsewhere.yml"
        for column in model["columns"].values():
            column["description"] += " More."
        edited["macros"]["macro.vp_pipeline.to_major_units"]["macro_sql"] += "\n{# a comment #}"
        edited["nodes"] = {key: each for key, each in edited["nodes"].items() if not key.startswith("test.")}

    own, whole, _ = changed(manifest, variables, edit)
    assert (own, whole) == (set(), set())


def test_both_branches_of_an_incremental_model_count(manifest: Manifest, variables: dict[str, Any]) -> None:
    def edit(edited: Manifest, _: dict[str, Any]) -> None:
        node(edited, "mart_deals")["raw_code"] += "{% if is_incremental() %} where 1 = 1 {% endif %}"

    assert changed(manifest, variables, edit)[0] == {"mart_deals"}


def test_a_macro_counts_wherever_it_is_reached(manifest: Manifest, variables: dict[str, Any]) -> None:
    code = model_code(manifest, variables)
    for name in manifest["macros"]:
        if not name.startswith("macro.vp_pipeline.") or ".test_" in name:
            continue
        macro = name.rsplit(".", 1)[-1]
        own, _, _ = changed(manifest, variables, _macro(macro, "{{ 1 }}"))
        assert own == {each.name for each in code.values() if macro in each.parts.get("macros", {})}, macro
    users = {each.name for each in code.values() if "same_key" in each.parts.get("macros", {})}
    # Reached through the incremental strategy alone, which no model names as a call.
    strategies = {n["name"] for n in manifest["nodes"].values() if n["config"].get("incremental_strategy")}
    assert users & strategies


def test_a_var_counts_where_it_is_read(manifest: Manifest, variables: dict[str, Any]) -> None:
    def edit(_: Manifest, edited: dict[str, Any]) -> None:
        edited["deal_below_average_share"] = 0.2

    own, _, after = changed(manifest, variables, edit)
    assert own == {"mart_deals"}
    assert list(after["mart_deals"].parts["vars"]) == ["deal_below_average_share"]


def test_a_seed_counts_for_what_reads_it(manifest: Manifest, variables: dict[str, Any]) -> None:
    def edit(edited: Manifest, _: dict[str, Any]) -> None:
        node(edited, "seed_marketplaces")["checksum"] = {"name": "sha256", "checksum": "other"}

    own, whole, after = changed(manifest, variables, edit)
    readers = {each.name for each in after.values() if "seed_marketplaces" in each.parents}
    assert readers
    assert own == {"seed_marketplaces"} | readers
    assert whole == descendants(after, "seed_marketplaces")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("materialized", "table"),
        ("incremental_strategy", "append"),
        ("unique_key", ["asin"]),
        ("post-hook", [{"sql": "select 1", "transaction": True, "index": None}]),
    ],
)
def test_configuration_that_changes_rows_counts(
    manifest: Manifest, variables: dict[str, Any], key: str, value: object
) -> None:
    def edit(edited: Manifest, _: dict[str, Any]) -> None:
        node(edited, "mart_deals")["config"][key] = value

    assert changed(manifest, variables, edit)[0] == {"mart_deals"}


def test_an_enforced_contract_counts(manifest: Manifest, variables: dict[str, Any]) -> None:
    def enforce(edited: Manifest, _: dict[str, Any]) -> None:
        node(edited, "mart_deals")["config"]["contract"] = {"enforced": True}

    def retype(edited: Manifest, _: dict[str, Any]) -> None:
        node(edited, "mart_deals")["columns"]["asin"]["data_type"] = "text"

    assert changed(manifest, variables, enforce)[0] == {"mart_deals"}
    assert changed(manifest, variables, retype)[0] == set()  # documented only
    enforced = copy.deepcopy(manifest)
    enforce(enforced, {})
    assert changed(enforced, variables, retype)[0] == {"mart_deals"}


def test_a_new_model_and_one_that_is_gone_are_seen(manifest: Manifest, variables: dict[str, Any]) -> None:
    edited = copy.deepcopy(manifest)
    del edited["nodes"]["model.vp_pipeline.mart_deals"]
    before, after = model_code(manifest, variables), model_code(edited, variables)
    assert set(before) - set(after) == {"mart_deals"}


@given(st.text(alphabet="ab1 \n\t-/*{}%#().,", max_size=40), st.sampled_from([" ", "\n", " \t "]))
def test_blank_space_between_tokens_is_no_difference(code: str, blank: str) -> None:
    tokens = normalized(code).split("\x1f")
    assert normalized(blank.join(tokens)).split("\x1f") == tokens


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("select a", "select  a\n", True),
        ("select a", "select b", False),
        ("select 'a  b'", "select 'a b'", False),
        ("select a -- it's a note", "select a", True),
        ("select a /* x */ , b", "select a, b", True),
        ("select '-- no note' as a", "select '' as a", False),
        ("{# it's #}select a", "select a", True),
        ("select ab", "select a b", False),
    ],
)
def test_what_is_the_same_code(one: str, other: str, same: bool) -> None:
    assert (normalized(one) == normalized(other)) is same
