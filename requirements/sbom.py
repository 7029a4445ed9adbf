"""Prints what `base.txt` locks as a bill of materials (CycloneDX JSON); the same lock gives the same bytes."""

import re
import sys
import tomllib
import uuid
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

HERE = Path(__file__).resolve().parent
_PACKAGE = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(?:\[[a-z,]+\])?==(?P<version>\S+)(?P<rest>.*(?:\n +.*)*)", re.MULTILINE
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_BY = re.compile(r"^ +#(?: via)? +(?!via$)(-r base\.in|\S+)$", re.MULTILINE)


def bill(lock: str, version: str) -> Bom:
    """Every package of a lock with its hashes, under the hotline, and which needs which. `lock`: its text."""
    bom = Bom()
    us = Component(
        name="hotline-gateway", version=version, type=ComponentType.APPLICATION, bom_ref="hotline-gateway"
    )
    bom.metadata.component = us
    bom.metadata.timestamp = None  # type: ignore[assignment] - left out, or no two would be the same
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, lock)
    needed_by: dict[str, set[str]] = {}
    of_name: dict[str, list[Component]] = {}
    for package in _PACKAGE.finditer(lock):
        name, rest = package["name"], package["rest"]
        url = PackageURL("pypi", name=name, version=package["version"])
        one = Component(name=name, version=package["version"], purl=url, bom_ref=str(url))
        one.hashes.update(HashType(alg=HashAlgorithm.SHA_256, content=found) for found in _HASH.findall(rest))
        bom.components.add(one)
        of_name.setdefault(name, []).append(one)
        needed_by[name] = {us.name if by == "-r base.in" else by for by in _BY.findall(rest)}
    for name, ones in {us.name: [us], **of_name}.items():
        needs = [
            Dependency(need.bom_ref)
            for other in of_name
            if name in needed_by[other]
            for need in of_name[other]
        ]
        for one in ones:
            bom.dependencies.add(Dependency(one.bom_ref, dependencies=needs))
    return bom


def main() -> None:
    """Write the bill of `base.txt` to standard output."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made = bill((HERE / "base.txt").read_text(encoding="utf-8"), project["version"])
    sys.stdout.write(JsonV1Dot6(made).output_as_string(indent=1) + "\n")


if __name__ == "__main__":
    main()
