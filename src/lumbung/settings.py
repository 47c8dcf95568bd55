"""Where Lumbung keeps its state and finds its project files.

All values come from the environment, so that Airflow's processes, the command line and the tests
use the same ones: `LUMBUNG_HOME`, `LUMBUNG_PROJECT`, `LUMBUNG_DATABASE_URL`,
`LUMBUNG_DATABASE_DIRECT`, `LUMBUNG_VAULT_KEY`, `LUMBUNG_SETTLE_SECONDS`, `LUMBUNG_SIGNING_KEY`,
`LUMBUNG_EVIDENCE`.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from lumbung.errors import ConfigurationError

PROJECT_RECORD = "lumbung.json"
"""What `lumbung init` wrote into a project, and of which version: `lumbung.project`."""

JAKARTA = ZoneInfo("Asia/Jakarta")
"""The zone that decides days and weeks (WIB, UTC+7, no daylight saving)."""


OFFICE = re.compile(r"[0-9]{2}|[A-Z]{2}")
"""The name of an office's folder: the code of a province, or of the country."""


@dataclass(frozen=True)
class Settings:
    """The folders and the database of one installation, as one of its offices uses them.

    Attributes:
        home: state on disk (`LUMBUNG_HOME`, default `.lumbung` in the project's root).
        project: the folder with `channels/`, `config/`, `dbt_project/`, `expectations/`
            (`LUMBUNG_PROJECT`; default: the checkout this file belongs to, and where Lumbung is
            installed as a package, the folder of `lumbung init` that the command runs in).
        database_url: a server to use instead of the embedded one (`LUMBUNG_DATABASE_URL`), or None.
        settle_seconds: how long a file must be unchanged before a pull reads it
            (`LUMBUNG_SETTLE_SECONDS`, default 2).
        signing_key: the file of the key that signs editions (`LUMBUNG_SIGNING_KEY`), None: see
            `lumbung.publication.proof.keys`.
        shared_evidence: the object store that has the evidence of all machines
            (`LUMBUNG_EVIDENCE`), None: this machine's folder has all of it.
        office: the code of the province, or the country, whose office publishes; empty: the
            installation's own office (docs/explanation/adr/0036-offices.md).

    """

    home: Path
    project: Path
    database_url: str | None
    settle_seconds: float = 0
    signing_key: Path | None = None
    shared_evidence: str | None = None
    office: str = ""

    @classmethod
    def load(cls) -> Settings:
        """Read the environment; no folder is created."""
        settle = number(
            "LUMBUNG_SETTLE_SECONDS",
            *("2", 0, 3600),
            remediation="set how long a file must be unchanged before it is read, in seconds, or"
            " leave it out",
        )
        url = os.environ.get("LUMBUNG_DATABASE_URL") or None
        key = os.environ.get("LUMBUNG_SIGNING_KEY")
        signing_key = Path(key).absolute() if key else None
        evidence = os.environ.get("LUMBUNG_EVIDENCE") or None
        return cls(home_folder(), _project_folder(), url, settle, signing_key, evidence)

    def require_database_url(self) -> str:
        """Return `database_url`; Airflow's tasks always have one.

        Raises:
            ConfigurationError: when `LUMBUNG_DATABASE_URL` is not set.

        """
        if self.database_url is None:
            raise ConfigurationError(
                "no database is given",
                where="LUMBUNG_DATABASE_URL",
                remediation="start Airflow with 'lumbung up', which sets it, or set it yourself",
            )
        return self.database_url

    @property
    def demo_claim(self) -> Path:
        """The file that describes the demo in this home; absent in a home of real records.

        The records of a demo end in 2024, so cron schedules are off in its home.
        """
        return self.home / "demo.json"

    @property
    def channels(self) -> Path:
        """The folder of channel files, one YAML each."""
        return self.project / "channels"

    @property
    def dbt_project(self) -> Path:
        """The dbt project."""
        return self.project / "dbt_project"

    def at_office(self, code: str) -> Settings:
        """Return the settings of another office of this installation; empty: of its own."""
        return replace(self, office=code)

    @property
    def offices(self) -> list[Settings]:
        """The settings of every office: the installation's own, then each folder of `config/`."""
        found = (each.name for each in (self.project / "config").glob("*/") if each.is_dir())
        return [self.at_office(code) for code in ("", *sorted(filter(OFFICE.fullmatch, found)))]

    @property
    def config(self) -> Path:
        """The office's configuration: `edition.yaml` and `people.yaml`."""
        return self.project / "config" / self.office

    @property
    def expectations(self) -> Path:
        """The expectation suites of the raw checkpoint and the publication checkpoint."""
        return self.project / "expectations"

    @property
    def inbox(self) -> Path:
        """Where channels that read files find them, one folder per channel."""
        return self.home / "inbox"

    @property
    def evidence(self) -> Path:
        """The evidence store: original files as delivered, named by their sha256."""
        return self.home / "evidence"

    @property
    def docs(self) -> Path:
        """Generated pages about tables and checks, for analysts: see `lumbung.warehouse.docs`."""
        return self.home / "docs"

    @property
    def editions(self) -> Path:
        """The published editions, one folder each."""
        return self.home / "editions"

    @property
    def portals(self) -> Path:
        """Where the office's portal is built; its link `current` is the site for a web server."""
        return self.home / "portals" / (f"offices/{self.office}" if self.office else "")

    @property
    def portal(self) -> Path:
        """The static site of the office's published editions."""
        return self.portals / "current" if self.office else self.home / "portal"


def office_dag(name: str, office: str) -> str:
    """The id of an office's DAG: `publication__76`, of the installation's own `publication`."""
    return f"{name}__{office}" if office else name


def home_folder() -> Path:
    """The folder of the state on disk, without symbolic links; no other setting is read."""
    return Path(os.environ.get("LUMBUNG_HOME") or _project_folder() / ".lumbung").resolve()


def _project_folder() -> Path:
    if given := os.environ.get("LUMBUNG_PROJECT"):
        return Path(given).resolve()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "dbt_project").is_dir():
        return checkout
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_RECORD).is_file():
            return folder
    raise ConfigurationError(
        "no project is here",
        where=str(here),
        remediation="change into the folder that 'lumbung init FOLDER' wrote, or name it in"
        " LUMBUNG_PROJECT",
    )


def read_secrets() -> None:
    """Set each variable `NAME` of Lumbung or of a connection whose file `NAME_FILE` names.

    An empty file sets nothing.

    Raises:
        ConfigurationError: when a file cannot be read.

    """
    for variable, file in list(os.environ.items()):
        name = variable.removesuffix("_FILE")
        if name == variable or not name.startswith(("LUMBUNG_", "AIRFLOW_CONN_")):
            continue
        try:
            content = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(
                f"the secret cannot be read: {error}",
                where=f"{variable}={file}",
                remediation="let this account read the file, or leave the variable out",
            ) from error
        if content:
            os.environ[name] = content


def number(variable: str, default: str, least: int, most: int, *, remediation: str) -> float:
    """The value of an environment variable that holds a number; `default` if it is empty or unset.

    Raises:
        ConfigurationError: when it is no number from `least` to `most`.

    """
    text = os.environ.get(variable) or default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ConfigurationError(
            f"{text!r} is not a number from {least} to {most}",
            where=variable,
            remediation=remediation,
        )
    return value
