"""The deployment files: whole, safe, and starting nothing but what the Procfile says."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted([*(DEPLOY / "kubernetes").glob("*.yaml"), *(DEPLOY / "kubernetes").glob("*.yaml.example")])
UNITS = sorted((DEPLOY / "systemd").iterdir())
INSTALLED = "/opt/plumbline"
"""Where the systemd units expect the project."""
OF_PYTHON = {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
PINNED = re.compile(r".+:\d+\.\d+(\.\d+)?(\.dev\d+)?(-[a-z0-9.-]+)?|postgres:\d+-[a-z]+")
"""PostgreSQL's minor versions keep their files, and bring what has to be patched."""


def _processes() -> dict[str, str]:
    """The Procfile's commands by name."""
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def _documented() -> set[str]:
    """The variables that .env.example names."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


@cache
def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def _ours() -> dict[str, dict[str, Any]]:
    """The compose file's services that run our image."""
    return {name: service for name, service in _compose()["services"].items() if "build" in service}


@cache
def _manifests() -> list[dict[str, Any]]:
    return [item for path in MANIFESTS for item in yaml.safe_load_all(path.read_text())]


def _objects(kind: str = "") -> list[dict[str, Any]]:
    """The Kubernetes objects of a kind, or all."""
    return [item for item in _manifests() if kind in ("", item["kind"])]


def _pods() -> dict[str, dict[str, Any]]:
    """The pods' specs by the name of what makes them."""
    makers = [*_objects("Deployment"), *_objects("Job")]
    return {maker["metadata"]["name"]: maker["spec"]["template"]["spec"] for maker in makers}


def _dockerfile() -> list[tuple[str, str]]:
    """Its instructions with their arguments."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def _unit(path: Path) -> configparser.RawConfigParser:
    """A unit's sections; of a key that stands more than once, the last."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys are case-sensitive
    parser.read_string(path.read_text())
    return parser


def _services() -> dict[str, configparser.RawConfigParser]:
    return {path.name: _unit(path) for path in UNITS if path.suffix == ".service"}


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
    return subprocess.run([*map(str, command)], env=env, capture_output=True, text=True, timeout=60)


# --- the Procfile and what starts it -------------------------------------------------------------------------------
@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Procfile and deploy/run, with programs beside them that only tell how they were called."""
    shutil.copy(ROOT / "Procfile", tmp_path)
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "run", tmp_path / "deploy")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "celery", "uvicorn"):
        (programs / name).write_text('#!/bin/sh\necho "${0##*/} $*"; echo "$PWD $PYTHONPATH" >&2\n')
        (programs / name).chmod(0o755)
    return tmp_path


def test_the_procfile_names_every_process_of_the_production_mode() -> None:
    assert {"release", "web", "worker", "worker-security", "worker-reports"} <= set(_processes())


def test_each_module_has_a_worker_that_takes_its_queue_alone() -> None:
    queues = {name: re.findall(r" -Q (\S+)", command) for name, command in _processes().items()}

    assert queues["worker-security"] == ["security"]
    assert queues["worker-reports"] == ["reports"]
    assert {"security", "reports"} <= set(queues["worker"][0].split(","))


@pytest.mark.parametrize("name", _processes())
def test_run_starts_the_very_command_of_the_procfile_with_both_roots_on_the_path(checkout: Path, name: str) -> None:
    settings = {"HOST": "0.0.0.0", "PORT": "8123", "WORKER_CONCURRENCY": "3"}  # noqa: S104

    started = _run(checkout / "deploy" / "run", name, **settings)

    assert started.returncode == 0, started.stderr
    expected = _processes()[name].replace("exec ", "").replace('"', "")
    for variable, value in settings.items():
        expected = re.sub(rf"\$\{{{variable}(:-[^}}]*)?\}}", value, expected)
    assert started.stdout.splitlines() == expected.split(" && ")
    assert set(started.stderr.splitlines()) == {f"{checkout} {checkout}:{checkout}/platform"}


def test_run_takes_as_many_open_files_as_it_may(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "uvicorn").write_text("#!/bin/sh\nulimit -S -n\n")

    started = _run("/bin/sh", "-c", f"ulimit -S -n 256; ulimit -H -n 600; exec {checkout / 'deploy' / 'run'} web")

    assert (started.stdout, started.stderr) == ("600\n", "")


def test_run_stands_back_for_a_long_running_process_so_that_signals_reach_it() -> None:
    stays = {name: command for name, command in _processes().items() if name != "release"}

    assert [name for name, command in stays.items() if not command.startswith("exec ")] == []


@pytest.mark.parametrize("wrong", ["nothing", "#", ""])
def test_run_refuses_an_unknown_name_and_lists_the_known_ones(wrong: str) -> None:
    refused = _run(DEPLOY / "run", wrong)

    assert refused.returncode == 64
    assert refused.stderr == (
        f"deploy/run: the Procfile has no process '{wrong}'. Give one of: {' '.join(_processes())}\n"
    )


# --- settings ------------------------------------------------------------------------------------------------------
def _used() -> dict[str, set[str]]:
    """The variables that the deployment files set or read, by file."""
    arguments = " ".join(rest for instruction, rest in _dockerfile() if instruction == "ENV")
    units = " ".join(unit["Service"].get("Environment", "") for unit in _services().values())
    config = [item.get("data", {}) | item.get("stringData", {}) for item in _objects()]
    return {
        "Procfile": set(re.findall(r"\$\{(\w+)", " ".join(_processes().values()))),
        "Dockerfile": set(re.findall(r"(?:^|\s)([A-Z_]+)=", arguments)),
        "systemd": set(re.findall(r"([A-Z_]+)=", units)),
        "kubernetes": {name for names in config for name in names},
        "compose": {name for service in _ours().values() for name in service.get("environment", {})},
        "healthy.py": set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', (DEPLOY / "healthy.py").read_text())),
    }


@pytest.mark.parametrize("file", ["Procfile", "Dockerfile", "systemd", "kubernetes", "compose", "healthy.py"])
def test_every_variable_of_a_deployment_file_is_explained_in_env_example(file: str) -> None:
    ours = {name for name in _used()[file] if not name.startswith("PIP_")} - OF_PYTHON

    assert ours - _documented() == set()


def test_every_variable_in_env_example_is_read_somewhere() -> None:
    sources = [path.read_text() for path in (ROOT / "platform").rglob("*.py") if "tests" not in path.parts]
    read = {name for source in sources for name in re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z0-9_]+)"', source)}

    assert _documented() - read - _used()["Procfile"] == set()


# --- the image -----------------------------------------------------------------------------------------------------
def test_hadolint_finds_nothing_wrong_with_the_dockerfile() -> None:
    program = Path(sys.executable).parent / "hadolint"
    if not program.exists():
        pytest.skip("hadolint is missing: make dev installs it where there is one for the platform")

    linted = _run(program, DEPLOY / "Dockerfile")

    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_is_made_in_two_stages_from_pinned_bases() -> None:
    bases = [rest.split(" ")[0] for instruction, rest in _dockerfile() if instruction == "FROM"]

    assert len(bases) == 2
    assert [base for base in bases if not PINNED.fullmatch(base)] == []


def test_the_image_runs_as_a_user_without_rights_and_starts_through_deploy_run() -> None:
    instructions = dict(_dockerfile())

    assert instructions["USER"] == "10001:10001"
    assert instructions["ENTRYPOINT"] == '["/srv/plumbline/deploy/run"]'
    assert instructions["CMD"] == '["web"]'
    assert "PYTHONPATH=/srv/plumbline:/srv/plumbline/platform " in instructions["ENV"]


def test_no_secret_gets_into_the_image() -> None:
    set_there = [rest for instruction, rest in _dockerfile() if instruction in ("ENV", "ARG")]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert re.findall(r"SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL|REDIS_URL", " ".join(set_there)) == []
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*", "the image takes what is named, not what happens to lie there"
    assert rules[-5:] == ["**/settings_for_tests.py", "**/__pycache__", "**/.env", "**/*.env", "**/*.sqlite3*"]


def test_everything_that_runs_gets_into_the_image() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    apps = {name if (ROOT / name).is_dir() else "platform" for name in packages}
    needed = apps | {
        "manage.py",
        "Procfile",
        "requirements.txt",
        "deploy/run",
        "deploy/healthy.py",
        "static",
        "templates",
    }

    assert needed - let_in == set()


# --- compose -------------------------------------------------------------------------------------------------------
def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")

    checked = _run(sys.executable, "-m", "check_jsonschema", *schema, DEPLOY / "compose.yaml")

    assert checked.returncode == 0, checked.stdout


def test_compose_has_a_service_for_the_stores_and_for_each_process() -> None:
    services = _compose()["services"]
    commands = {name: service["command"] for name, service in _ours().items()}

    workers = {"worker", "worker-security", "worker-reports", "worker-mail"}
    assert set(services) == {"postgres", "redis", "migrate", "web", *workers}
    assert commands.pop("migrate") == ["release"]
    assert commands == {name: [name] for name in _processes() if name != "release"}
    assert not any("entrypoint" in service for service in _ours().values())


def test_compose_containers_have_no_rights_and_a_read_only_root() -> None:
    for name, service in _compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["user"] not in ("", "0", "0:0", "root"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"], name
        assert "privileged" not in service, name
        assert PINNED.fullmatch(service["image"]), name


def test_compose_waits_for_healthy_stores_and_for_the_tables() -> None:
    services = _compose()["services"]

    assert {name for name, service in services.items() if "healthcheck" in service} >= {"postgres", "redis", "web"}
    assert services["migrate"]["restart"] == "on-failure"
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in _ours().keys() - {"migrate"}:
        assert services[name]["depends_on"] == {
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }, name


def test_compose_takes_secrets_from_files_that_git_and_the_image_leave_out() -> None:
    services = _compose()["services"]

    assert {service["env_file"] for service in _ours().values()} == {"plumbline.env"}
    assert services["postgres"]["env_file"] == "postgres.env"
    assert not any("environment" in service for service in services.values())
    assert "*.env" in (DEPLOY / ".gitignore").read_text().splitlines()
    assert re.findall(r"^POSTGRES_PASSWORD=(.*)$", (DEPLOY / "postgres.env.example").read_text(), re.MULTILINE) == [""]


def test_compose_keeps_the_stores_off_every_network_but_its_own() -> None:
    compose = _compose()

    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["inside"], name
        assert "ports" not in compose["services"][name], name
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert set(compose["volumes"]) == {"postgres", "data"}


# --- systemd -------------------------------------------------------------------------------------------------------
def test_units_start_the_procfiles_processes_and_nothing_else() -> None:
    started = {name: unit["Service"]["ExecStart"] for name, unit in _services().items()}
    wanted = re.findall(r"^Wants=(\S+)$", (DEPLOY / "systemd" / "plumbline.target").read_text(), re.MULTILINE)

    assert started == {
        "plumbline-release.service": f"{INSTALLED}/deploy/run release",
        "plumbline-web.service": f"{INSTALLED}/deploy/run web",
        "plumbline-worker@.service": f"{INSTALLED}/deploy/run %i",
    }
    workers = [name for name in _processes() if name.startswith("worker")]
    assert wanted == ["plumbline-web.service", *[f"plumbline-worker@{name}.service" for name in workers]]


def test_units_come_up_by_themselves_after_a_reboot_whatever_comes_up_first() -> None:
    """A unit that Requires another is not started any more once that one has failed, also where it succeeds later."""
    units = _services()
    assert units["plumbline-release.service"]["Service"]["Restart"] == "on-failure"
    for name in ("plumbline-web.service", "plumbline-worker@.service"):
        assert units[name]["Unit"]["Wants"] == units[name]["Unit"]["After"] == "plumbline-release.service"
        assert "Requires" not in units[name]["Unit"]
        assert units[name]["Service"]["Restart"] == "always"
        assert " migrate --check --wait " in units[name]["Service"]["ExecStartPre"]
    assert {unit["Unit"]["StartLimitIntervalSec"] for unit in units.values()} == {"0"}


def test_units_run_without_rights_and_take_secrets_from_a_file() -> None:
    for name, unit in _services().items():
        service = unit["Service"]
        assert service["User"] == "plumbline", name
        assert service["ProtectSystem"] == "strict", name
        assert service["NoNewPrivileges"] == "yes", name
        assert service["EnvironmentFile"] == "/etc/plumbline/plumbline.env", name


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they would be installed, but for this checkout, and what they are verified with."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing, so units can't be verified; on Debian: apt-get install systemd")
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace(INSTALLED, str(ROOT)))
    return tmp_path


def _instances(units: Path) -> list[Path]:
    names = ["plumbline-release", "plumbline-web", "plumbline-worker@worker", "plumbline-worker@worker-security"]
    return [units / f"{name}.service" for name in names]


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    verified = _run("systemd-analyze", "verify", "--man=no", units / "plumbline.target", *_instances(units))

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_systemd_rates_the_units_as_little_exposed(units: Path) -> None:
    rated = _run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", *_instances(units))

    assert rated.returncode == 0, rated.stdout + rated.stderr


# --- Kubernetes ----------------------------------------------------------------------------------------------------
def test_the_manifests_keep_to_the_schemas_of_kubernetes() -> None:
    program = Path(sys.executable).parent / "kubernetes-validate"

    validated = _run(program, "--strict", *MANIFESTS)

    assert validated.returncode == 0, validated.stdout + validated.stderr
    stores = {"ConfigMap", "Secret"}
    around = {"Ingress", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service"}
    assert {item["kind"] for item in _objects()} == stores | around | {"Deployment", "Job"}


def test_each_process_has_a_pod_that_starts_it() -> None:
    started = {name: [container["args"] for container in pod["containers"]] for name, pod in _pods().items()}

    assert started == {f"plumbline-{name}": [[name]] for name in _processes()}
    assert not any("command" in container for pod in _pods().values() for container in pod["containers"])


def test_pods_have_no_rights_and_a_read_only_root() -> None:
    for name, pod in _pods().items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert PINNED.fullmatch(container["image"]), name
            assert container["resources"].keys() == {"requests", "limits"}, name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert container["envFrom"] == [
                {"configMapRef": {"name": "plumbline"}},
                {"secretRef": {"name": "plumbline"}},
            ], name


def test_all_images_of_ours_are_of_the_projects_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    images = {container["image"] for pod in _pods().values() for container in pod["containers"]}
    images |= {service["image"] for service in _ours().values()}

    assert {image.rsplit("/", 1)[-1] for image in images} == {f"plumbline:{version}"}


def test_the_web_pods_are_asked_for_life_and_for_readiness() -> None:
    (container,) = _pods()["plumbline-web"]["containers"]
    host = _objects("ConfigMap")[0]["data"]["ALLOWED_HOSTS"]

    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in asked.items()} == {
        "startup": "/health",
        "liveness": "/health",
        "readiness": "/health/ready?check=database&check=schema",
    }
    for probe in asked.values():
        assert {"name": "Host", "value": host} in probe["httpHeaders"]


def test_a_drained_node_leaves_one_of_every_deployment_that_has_several() -> None:
    several = {item["metadata"]["name"] for item in _objects("Deployment") if item["spec"]["replicas"] > 1}

    assert {item["metadata"]["name"] for item in _objects("PodDisruptionBudget")} == several
    assert "plumbline-web" in several


def test_selectors_meet_the_pods_that_they_are_for() -> None:
    labels = {
        item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"].items()
        for item in _objects("Deployment")
    }

    for item in [*_objects("Deployment"), *_objects("PodDisruptionBudget")]:
        name = item["metadata"]["name"]
        assert item["spec"]["selector"]["matchLabels"].items() <= labels[name], name
    (service,) = _objects("Service")
    assert service["spec"]["selector"].items() <= labels["plumbline-web"]


def test_the_manifests_hold_no_secret_and_the_examples_are_not_applied_by_accident() -> None:
    (secret,) = _objects("Secret")

    assert set(secret["stringData"].values()) == {""}
    assert set(secret["stringData"]) == {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "METRICS_TOKEN"}
    examples = {path.name for path in MANIFESTS if path.name.endswith(".example")}
    assert examples == {"secret.yaml.example", "ingress.yaml.example"}
    everything = "\n".join(
        path.read_text() for path in [*MANIFESTS, *UNITS, DEPLOY / "compose.yaml", ROOT / "Procfile"]
    )
    assert re.findall(r"\w+://[^\s/:@]+:[^\s/@]+@", everything.replace("//USER:PASSWORD@HOST", "")) == []


def test_everything_in_the_cluster_is_closed_unless_it_is_named() -> None:
    closed = next(item for item in _objects("NetworkPolicy") if item["metadata"]["name"] == "nothing-else")

    assert closed["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_containers_and_pods_run_the_check_of_what_they_are() -> None:
    in_compose = {name: service["healthcheck"]["test"] for name, service in _ours().items() if name != "migrate"}
    in_pods = {
        name.removeprefix("plumbline-"): pod["containers"][0]["livenessProbe"]["exec"]["command"]
        for name, pod in _pods().items()
        if name.startswith("plumbline-worker")
    }

    workers = [name for name in _processes() if name.startswith("worker")]
    check = ["python", "deploy/healthy.py"]
    assert in_compose == {"web": ["CMD", *check, "web"], **{name: ["CMD", *check, "worker"] for name in workers}}
    assert in_pods == {name: [*check, "worker"] for name in workers}
