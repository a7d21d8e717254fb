"""The manifests of infra/kubernetes: what they refer to is there, nothing is root, the environments share no name.

Not here: whether they are valid (`make infra`), and what a cluster makes of them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from vp_pipeline.settings import PROJECT_ROOT, load_settings

KUBERNETES = PROJECT_ROOT / "infra" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
BASE: Mapping[str, Any] = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())
# Made by hand, by the commands of docs/production.md.
SECRETS = {"vp-secrets", "vp-keys"}


def resources() -> list[Mapping[str, Any]]:
    files = (KUBERNETES / "base" / name for name in BASE["resources"])
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


def pods() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in resources():
        if each["kind"] in ("Deployment", "Job"):
            yield each["metadata"]["name"], each["spec"]["template"]


def found(node: Any, name: str) -> Iterator[Any]:
    """The value of each key of that name, however deep."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == name:
                yield value
            yield from found(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from found(value, name)


def settings_of(overlay: str) -> dict[str, str]:
    values = dotenv_values(KUBERNETES / "overlays" / overlay / "settings.env")
    return {name: value or "" for name, value in values.items()}


def test_every_file_is_used() -> None:
    own = {*BASE["resources"], "kustomization.yaml", "dagster.yaml"}
    assert {path.name for path in (KUBERNETES / "base").iterdir()} == own
    for file in BASE["configMapGenerator"][0]["files"]:
        assert (KUBERNETES / "base" / file.rpartition("=")[2]).is_file()


def test_what_is_referred_to_is_there() -> None:
    names = {(each["kind"], each["metadata"]["name"]) for each in resources()}
    generated = {each["name"] for each in BASE["configMapGenerator"]} | {"vp-settings"}
    components = {pod["metadata"]["labels"]["app.kubernetes.io/component"] for _, pod in pods()}
    for name, pod in pods():
        spec = pod["spec"]
        assert ("ServiceAccount", spec["serviceAccountName"]) in names
        assert {each["name"] for each in found(spec, "configMapRef")} <= generated, name
        assert {each["name"] for each in found(spec["volumes"], "configMap")} <= generated, name
        assert {each["name"] for each in found(spec, "secretRef")} <= SECRETS, name
        assert {each["secretName"] for each in found(spec["volumes"], "secret")} <= SECRETS, name
        mounted = {each["name"] for container in spec["containers"] for each in container["volumeMounts"]}
        assert mounted == {each["name"] for each in spec["volumes"]}, name
        ports = {port["name"] for port in found(spec["containers"], "ports") for port in port}
        assert {each["port"] for each in found(spec["containers"], "httpGet")} <= ports, name
    for service in (each for each in resources() if each["kind"] == "Service"):
        assert service["spec"]["selector"]["app.kubernetes.io/component"] in components
    policies = [each for each in resources() if each["kind"] == "NetworkPolicy"]
    for each in found(policies, "app.kubernetes.io/component"):
        assert each in components


def test_no_process_is_root_or_writes_its_own_image() -> None:
    for name, pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"], name
        for container in pod["spec"]["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name
            assert not context["allowPrivilegeEscalation"], name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert {"requests", "limits"} == container["resources"].keys(), name


def test_the_instance_is_that_of_a_deployment_and_starts_a_pod_per_run() -> None:
    ours = yaml.safe_load((KUBERNETES / "base" / "dagster.yaml").read_text())
    deployed = yaml.safe_load((PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml").read_text())
    launcher = ours.pop("run_launcher")
    assert ours == deployed
    config = launcher["config"]
    assert {*config["env_secrets"], *config["env_config_maps"]} <= SECRETS | {"vp-settings"}
    volumes = {each["name"] for each in config["run_k8s_config"]["pod_spec_config"]["volumes"]}
    assert {each["name"] for each in config["run_k8s_config"]["container_config"]["volume_mounts"]} == volumes


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_settings_of_an_environment_are_complete(overlay: str) -> None:
    values = settings_of(overlay)
    instance = yaml.safe_load((KUBERNETES / "base" / "dagster.yaml").read_text())
    of_secrets = {"DAGSTER_POSTGRES_USER", "DAGSTER_POSTGRES_PASSWORD"}
    assert set(found(instance, "env")) - of_secrets <= values.keys()
    assert not [name for name in values if "SECRET" in name or "PASSWORD" in name or "TOKEN" in name]
    environ = {name: value for name, value in values.items() if not name.startswith(("DAGSTER_", "AWS_"))}
    settings = load_settings(environ, needed=("lake_url", "snowflake_account", "airbyte_workspace_id"))
    assert settings.env == "production"
    assert settings.deployment == overlay
    assert {source.name for source in settings.enabled_sources} == set(values["VP_SOURCES"].split(","))
    kustomization = yaml.safe_load((KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text())
    image = kustomization["images"][0]
    assert f"{image['newName']}@{image['digest']}" == values["DAGSTER_K8S_IMAGE"]
    assert kustomization["namespace"] == values["DAGSTER_K8S_NAMESPACE"]
    (namespace,) = yaml.safe_load_all((KUBERNETES / "overlays" / overlay / "namespace.yaml").read_text())
    assert namespace["metadata"]["name"] == kustomization["namespace"]


def test_the_environments_share_no_name() -> None:
    shared = {"VP_ENV", "VP_SOURCES", "VP_START_DATE", "AWS_REGION", "VP_SNOWFLAKE_PRIVATE_KEY_PATH"}
    # Of the account, of examples, and names within the namespace.
    shared |= {"VP_SNOWFLAKE_ACCOUNT", "VP_AIRBYTE_WORKSPACE_ID", "DAGSTER_POSTGRES_PORT", "DAGSTER_POSTGRES_DB"}
    shared |= {
        "DAGSTER_CODE_LOCATION_HOST",
        "DAGSTER_K8S_SERVICE_ACCOUNT",
        "DAGSTER_K8S_CONFIG_MAP",
        "DAGSTER_K8S_IMAGE",
    }
    every = [{n.partition("__")[0]: v for n, v in settings_of(overlay).items()} for overlay in OVERLAYS]
    for name in set.union(*({*each} for each in every)) - shared:
        if not name.startswith("VP_AIRBYTE_CONNECTION_"):
            assert len({each[name] for each in every}) == len(every), name


def test_the_probes_are_the_health_checks_of_compose() -> None:
    compose = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())["services"]
    dockerfile = (PROJECT_ROOT / "Dockerfile").read_text()
    probes = {name: [*found(pod, "command")] for name, pod in pods()}
    assert compose["web"]["healthcheck"]["test"][1:] in probes["web"]
    assert compose["daemon"]["healthcheck"]["test"][1:] in probes["daemon"]
    for name in ("web", "daemon", "dashboard"):
        assert compose[name]["command"] in probes[name]
    for command in probes["code-location"]:
        assert json.dumps(command) in dockerfile
