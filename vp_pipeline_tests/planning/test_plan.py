"""The plan names each model whose rows the code of now would not have made, and why."""

from vp_pipeline.dbt.fingerprints import ModelCode, fingerprint
from vp_pipeline.planning.plan import ModelChange, ModelPlan, model_plan
from vp_pipeline.warehouse.model_code import BuiltWith


def code(name: str, *parents: ModelCode, **parts: dict[str, str]) -> ModelCode:
    own = fingerprint(parts)
    whole = fingerprint([own, [parent.whole for parent in parents]])
    return ModelCode(name, parts, own, whole, tuple(parent.name for parent in parents))


def project(*models: ModelCode) -> dict[str, ModelCode]:
    return {model.name: model for model in models}


def built(*models: ModelCode) -> dict[str, BuiltWith]:
    return {model.name: BuiltWith(model.whole, model.own, model.parts) for model in models}


A = code("a", sql={"": "1"}, macros={"m": "1"})
B = code("b", A, sql={"": "1"})
C = code("c", B, sql={"": "1"})
OTHER = code("other", sql={"": "1"})


def test_the_same_code_is_no_plan() -> None:
    assert model_plan(project(A, B, C), built(A, B, C)).is_empty


def test_a_warehouse_without_records_is_restated_as_a_whole() -> None:
    plan = model_plan(project(A, B), {})
    assert [(change.name, change.why) for change in plan.changes] == [
        ("a", "not built by a recorded version"),
        ("b", "not built by a recorded version"),
    ]


def test_a_change_names_its_parts_and_reaches_everything_below() -> None:
    edited = code("a", sql={"": "2"}, macros={"m": "2", "n": "1"})
    b = code("b", edited, sql={"": "1"})
    c = code("c", b, sql={"": "1"})
    assert model_plan(project(edited, b, c, OTHER), built(A, B, C, OTHER)) == ModelPlan(
        (
            ModelChange("a", ("SQL", "macro m", "macro n")),
            ModelChange("b", (), ("a",)),
            ModelChange("c", (), ("b",)),
        )
    )


def test_a_restatement_that_was_not_finished_is_continued() -> None:
    edited = code("a", sql={"": "2"})
    b = code("b", edited, sql={"": "1"})
    plan = model_plan(project(edited, b), built(edited, B))
    assert [(change.name, change.why) for change in plan.changes] == [
        ("b", "something upstream was restated without it")
    ]


def test_a_fingerprint_that_nothing_explains_is_another_version() -> None:
    plan = model_plan(project(A), {"a": BuiltWith("unknown")})
    assert [change.why for change in plan.changes] == ["built by another version"]


def test_a_model_that_is_gone_is_named() -> None:
    assert model_plan(project(A), built(A, OTHER)) == ModelPlan((), ("other",))
