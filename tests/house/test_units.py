"""The units of systemd and the proxy's example, as text: what they start, what they may not do, where secrets lie."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from gateway.settings import NAMES, SECRETS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.stem for path in UNITS.glob("*.service"))
KINDS = {".service", ".timer"}
HOME = "/srv/hotline/.venv/bin/"

HARDENED = {
    "AmbientCapabilities": [""],
    "CapabilityBoundingSet": [""],
    "KeyringMode": ["private"],
    "LimitCORE": ["0"],
    "LockPersonality": ["yes"],
    "MemorySwapMax": ["0"],
    "NoNewPrivileges": ["yes"],
    "PrivateDevices": ["yes"],
    "PrivateTmp": ["yes"],
    "ProcSubset": ["pid"],
    "ProtectClock": ["yes"],
    "ProtectControlGroups": ["yes"],
    "ProtectHome": ["yes"],
    "ProtectHostname": ["yes"],
    "ProtectKernelLogs": ["yes"],
    "ProtectKernelModules": ["yes"],
    "ProtectKernelTunables": ["yes"],
    "ProtectProc": ["invisible"],
    "ProtectSystem": ["strict"],
    "RestrictAddressFamilies": ["AF_UNIX AF_INET AF_INET6"],
    "RestrictNamespaces": ["yes"],
    "RestrictRealtime": ["yes"],
    "RestrictSUIDSGID": ["yes"],
    "StandardError": ["journal"],
    "StandardOutput": ["journal"],
    "SystemCallArchitectures": ["native"],
    "SystemCallFilter": ["@system-service", "~@privileged"],
    "UMask": ["0077"],
}

Unit = dict[str, dict[str, list[str]]]


def read(*files: Path) -> Unit:
    """Section, key, every value in the order of the files: systemd adds them up, where configparser would refuse."""
    unit: Unit = defaultdict(lambda: defaultdict(list))
    for file in files:
        section = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            if heading := re.fullmatch(r"\[(\w+)\]", line):
                section = heading[1]
                continue
            key, equals, value = line.partition("=")
            assert equals, f"{file.name}: {line}"
            assert section, f"{file.name}: {line}"
            unit[section][key].append(value)
    return unit


def whole(name: str) -> Unit:
    """A service as systemd puts it together."""
    return read(
        UNITS / f"{name}.service",
        UNITS / "hotline-.service.d" / "every.conf",
        *sorted((UNITS / f"{name}.service.d").glob("*.conf")),
    )


def commands() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_shut_in(name: str) -> None:
    service = whole(name)["Service"]
    assert {key: service[key] for key in HARDENED} == HARDENED
    assert service["User"][0] not in {"", "root"}


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_each_process_is_started_as_the_procfile_does_and_again_whenever_it_ends(process: str) -> None:
    service = whole(f"hotline-{process}")["Service"]
    assert service["ExecStart"] == [HOME + commands()[process]]
    assert service["Restart"] == ["always"]


def test_every_process_of_the_procfile_but_the_release_has_a_service() -> None:
    assert {f"hotline-{process}" for process in commands()} - {"hotline-release"} <= set(SERVICES)


def test_only_the_worker_is_given_the_root_key_and_has_a_user_of_its_own() -> None:
    holders = {
        name
        for name in SERVICES
        if any("ROOT_KEY" in one for one in whole(name)["Service"]["LoadCredential"])
    }
    assert holders == {"hotline-worker"}
    assert [name for name in SERVICES if whole(name)["Service"]["User"] == ["hotline-worker"]] == [
        "hotline-worker"
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_each_secret_comes_as_a_file_that_systemd_hands_over_and_none_stands_in_the_unit(name: str) -> None:
    service = whole(name)["Service"]
    given = dict(one.split(":", 1) for one in service["LoadCredential"])
    assert set(given) <= SECRETS
    assert all(path == f"/etc/hotline/secrets/{secret}" for secret, path in given.items())
    told = dict(one.split("=", 1) for one in service["Environment"])
    assert {key: value for key, value in told.items() if key.endswith("_FILE")} == {
        f"{secret}_FILE": f"%d/{secret}" for secret in given
    }
    assert not set(told) & SECRETS
    assert {key for key in told if key.startswith("HOTLINE_")} <= NAMES | {
        f"{secret}_FILE" for secret in SECRETS
    }


def test_what_production_needs_and_the_units_do_not_give_stands_in_the_file_of_the_manual() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    needed = set(re.findall(r"^\| `([A-Z_]+)` \|", _needed(), re.MULTILINE))
    given = {one.partition(":")[0] for one in whole("hotline-worker")["Service"]["LoadCredential"]}
    assert all(re.search(rf"^{name}=", manual, re.MULTILINE) for name in needed - given)


def _needed() -> str:
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return settings.partition("## Needed in production")[2].partition("\n## ")[0]


def test_what_runs_now_and_then_has_a_service() -> None:
    for timer in UNITS.glob("*.timer"):
        assert timer.stem in SERVICES
        assert read(timer)["Timer"]["Persistent"] == ["yes"]


def test_a_command_by_hand_runs_as_the_worker_with_its_secrets(tmp_path: Path) -> None:
    worker = whole("hotline-worker")["Service"]
    (tmp_path / "secrets").mkdir()
    (tmp_path / "settings.env").write_text("HOTLINE_MODE=production\n# a remark\n", encoding="utf-8")
    (tmp_path / "secrets" / "HOTLINE_ROOT_KEY").write_text("made up\n", encoding="utf-8")
    (tmp_path / "setpriv").write_text('#!/bin/sh\nenv; echo "$@"; umask; ulimit -c', encoding="utf-8")
    (tmp_path / "setpriv").chmod(0o700)
    script = tmp_path / "deploy" / "systemd" / "by-hand"
    script.parent.mkdir(parents=True)
    text = (UNITS / "by-hand").read_text(encoding="utf-8").replace("/etc/hotline", str(tmp_path))
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", script, "unseal"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = done.stdout.splitlines()
    assert {"HOTLINE_MODE=production", "HOTLINE_ROOT_KEY=made up"} <= set(told)
    (folder,) = [one for one in worker["Environment"] if one.startswith("HOTLINE_DATA_DIR=")]
    assert folder.replace("%S", "/var/lib") in told, "the typed key is found by it"
    *_, command, mask, core = told
    assert f"--reuid={worker['User'][0]} " in command
    assert command.endswith(".venv/bin/python -m gateway unseal")
    assert (mask, core) == ("0077", "0")


def test_the_units_are_right_in_the_eyes_of_systemd(tmp_path: Path) -> None:
    if not (verify := shutil.which("systemd-analyze")):
        pytest.skip("NO SYSTEMD HERE: its units were read as text only")
    shutil.copytree(UNITS, tmp_path / "units")
    for service in (tmp_path / "units").glob("*.service"):  # nothing is installed in /srv here
        text = service.read_text(encoding="utf-8")
        service.write_text(
            re.sub(r"^ExecStart=\S+", "ExecStart=/bin/sh", text, flags=re.MULTILINE), encoding="utf-8"
        )
    done = subprocess.run(
        [verify, "verify", *(str(one) for one in (tmp_path / "units").iterdir() if one.suffix in KINDS)],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_proxy_writes_nothing_down_and_changes_no_address() -> None:
    proxy = re.sub(r"\s*#.*", "", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))
    for line in (
        "access_log off;",
        "error_log /dev/null crit;",
        "proxy_request_buffering off;",
        "proxy_max_temp_file_size 0;",
        "proxy_pass http://127.0.0.1:8000;",
    ):
        assert line in proxy
    assert proxy.count("access_log") == 1
    assert "rewrite" not in proxy
    (bound,) = [one for one in whole("hotline-web")["Service"]["Environment"] if "--bind" in one]
    assert bound.endswith("--bind=127.0.0.1:8000")
