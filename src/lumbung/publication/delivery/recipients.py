"""Approvers, other readers of drafts, owners and recipients of editions: `people.yaml`.

The file in `config/` names the people of the installation and of its own office. Each further
office has one in its folder, whose people see and decide what is of that office.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from email.utils import parseaddr
from functools import lru_cache
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from lumbung.errors import ConfigurationError
from lumbung.publication import office
from lumbung.settings import Settings

log = logging.getLogger(__name__)

PROVINCE = "province"
Event = Literal[
    "intake",  # a pull of a channel failed
    "raw_checkpoint",
    "build",
    "channel_held",
    "channel_late",
    "channel_volume",  # far more or fewer deliveries than usual
    "publication_checkpoint",  # it is closed: an edition does not pass
    "draft",  # waits for a decision
    "decision",  # on a draft
    "rejection",  # what the owners correct
    "deadline",  # of a case, about to lapse
    "unpublished",  # a Monday without an edition
    "mail",  # the edition could not be mailed
    "review",  # items of the review list
    "service",  # a way of notifying failed
    "task",  # any other task failed
]
"""What people are notified of."""
Address = Annotated[
    str,
    StringConstraints(
        to_lower=True, pattern=r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+$"
    ),
]
Area = Annotated[str, StringConstraints(pattern=rf"^({PROVINCE}|\d\d\.\d\d)$")]


def _once(addresses: list[str]) -> list[str]:
    if len(set(addresses)) < len(addresses):
        raise ValueError("an address is listed twice")
    return addresses


def _sender(text: str) -> str:
    if "@" not in parseaddr(text)[1]:
        raise ValueError("the sender has no address")
    return text


Addresses = Annotated[list[Address], AfterValidator(_once)]


class Approval(BaseModel):
    """Who approves editions, and the time limits of an approval.

    Attributes:
        users: Airflow accounts that may approve, each with name and office as printed.
        addresses: mail addresses that receive the question with the draft's PDF, and reminders.
        remind_after_hours: hours after the question until the first reminder; then every morning.
        time_limit_hours: hours after the question until it expires: nothing is published, and the
            owners are notified.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: dict[str, Annotated[str, StringConstraints(min_length=1)]] = Field(min_length=1)
    addresses: Addresses
    remind_after_hours: float = Field(gt=0)
    time_limit_hours: float = Field(gt=0)

    @property
    def remind_after(self) -> timedelta:
        """`remind_after_hours` as a duration."""
        return timedelta(hours=self.remind_after_hours)

    @property
    def time_limit(self) -> timedelta:
        """`time_limit_hours` as a duration."""
        return timedelta(hours=self.time_limit_hours)


class Mute(BaseModel):
    """Notices that a person does not get for a while.

    Attributes:
        address: the person's mail address.
        events: which notices: `lumbung.publication.delivery.recipients.Event` lists them.
        until: the last day (WIB).

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address
    events: list[Event] = Field(min_length=1)
    until: date


class People(BaseModel):
    """The content of `people.yaml`.

    Attributes:
        sender: name and address of the sender of mails.
        approval: who approves editions.
        leadership: Airflow accounts that read drafts and the leadership sheet at the desk, and
            decide on nothing.
        leadership_addresses: addresses that are notified of deadlines that end; none: those of the
            approvers.
        stewards: Airflow accounts that work on the review list at the desk, each with the code of
            the regency whose items it sees and decides, or `province`: the office's province, or
            for the installation's own office all of the warehouse.
        channel_owners: Airflow accounts of the offices that own channels, each with the address
            that the files of its channels name as `owner.email`.
        engineers: Airflow accounts that run the installation: they edit Connections and start runs.
        viewers: further Airflow accounts, which see published editions only.
        analysts: Airflow accounts that read the documentation of the tables at the desk, each with
            the code of a regency, or `province`.
        auditors: Airflow accounts that read the audit log and trace numbers at the desk.
        owners: addresses that are notified of failures, rejections and channels of the office; of
            every channel, builds and review items those of the installation's own office.
        services: by mail address, the Airflow Connections of the services by which a person gets
            notices too. Their password is the service's address as apprise writes it.
        muted: notices that somebody does not get for a while.
        recipients: addresses that receive every published edition.
        sheet_readers: who besides approvers and `leadership` may open the leadership sheet:
            account, and name and office.
        offices: by the regency's Kemendagri code, whom the leadership sheet says to call.
        publish_from: the day (WIB) from which an edition is published every Monday. Mondays since
            then that were missed are caught up, oldest first.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sender: Annotated[str, AfterValidator(_sender)]
    approval: Approval
    leadership: list[Annotated[str, StringConstraints(min_length=1)]] = []
    leadership_addresses: Addresses = []
    stewards: dict[str, Area] = {}
    channel_owners: dict[str, Address] = {}
    engineers: list[Annotated[str, StringConstraints(min_length=1)]] = []
    viewers: list[Annotated[str, StringConstraints(min_length=1)]] = []
    analysts: dict[str, Area] = {}
    auditors: list[Annotated[str, StringConstraints(min_length=1)]] = []
    owners: Addresses
    services: dict[Address, list[Annotated[str, StringConstraints(pattern=r"^\w+$")]]] = {}
    muted: list[Mute] = []
    recipients: Addresses
    publish_from: date
    sheet_readers: dict[str, Annotated[str, StringConstraints(min_length=1)]] = {}
    offices: dict[str, Annotated[str, StringConstraints(min_length=1)]] = {}

    @property
    def accounts(self) -> set[str]:
        """Every account that the file names."""
        return {
            *(*self.approval.users, *self.leadership, *self.stewards, *self.channel_owners),
            *(*self.engineers, *self.viewers, *self.analysts, *self.auditors),
            *self.sheet_readers,
        }

    def may_open_sheet(self, account: str) -> bool:
        """Return whether an account may open the leadership sheet."""
        return account in {*self.approval.users, *self.leadership, *self.sheet_readers}

    def is_muted(self, address: str, event: Event, day: date) -> bool:
        """Return whether an address does not get notices of an event on a day."""
        return any(
            mute.address == address and event in mute.events and day <= mute.until
            for mute in self.muted
        )


def require_approver(name: str, settings: Settings) -> str:
    """Return name and office of an approver, as an edition prints them.

    Raises:
        ConfigurationError: when the name is not in `approval.users`.

    """
    users = load_people(settings).approval.users
    if name not in users:
        raise ConfigurationError(
            f"'{name}' is not an approver of editions",
            where=str(settings.config / "people.yaml"),
            remediation=f"decide as one of {', '.join(users)}, or add the name to approval.users",
        )
    return users[name]


def require_account(name: str, settings: Settings) -> None:
    """Require that the office's `people.yaml` names an account, as one that decides.

    Raises:
        ConfigurationError: when it does not.

    """
    people = load_people(settings)
    named = {
        *(*people.approval.users, *people.leadership, *people.stewards, *people.channel_owners),
        *(*people.engineers, *people.auditors),
    }
    if name not in named:
        raise ConfigurationError(
            f"'{name}' is nobody who decides here",
            where=str(settings.config / "people.yaml"),
            remediation="name an account of that file with --by, or add it there",
        )


def office_of_account(account: str, settings: Settings) -> Settings:
    """Return the settings of the office whose `people.yaml` names an account.

    An account that none names belongs to the installation's own office, where it is nobody's. So
    does one of an office whose file cannot be read, which is logged.

    Raises:
        ConfigurationError: when two files name it.

    """
    found = []
    for each in settings.offices:
        try:
            if account in load_people(each).accounts:
                found.append(each)
        except ConfigurationError as error:
            log.warning("%s", error)
    if len(found) > 1:
        raise _named_twice(account, found)
    return found[0] if found else settings.at_office("")


def owners_of_province(code: str | None, settings: Settings) -> list[str]:
    """Return the owners of the further office that publishes for a province; none without one."""
    if code not in {each.office for each in settings.offices[1:]}:
        return []
    try:
        return load_people(settings.at_office(str(code))).owners
    except ConfigurationError as error:
        log.warning("%s", error)
        return []


def require_own_accounts(people: People, settings: Settings) -> None:
    """Require that no other office names an account of these people.

    Raises:
        ConfigurationError: when one does.

    """
    for each in settings.offices:
        if each.office == settings.office:
            continue
        try:
            others = load_people(each)
        except ConfigurationError:  # it stops its own office
            continue
        for account in sorted(people.accounts & others.accounts):
            raise _named_twice(account, [settings, each])


def _named_twice(account: str, offices: Sequence[Settings]) -> ConfigurationError:
    return ConfigurationError(
        f"two offices name the account '{account}'",
        where=" and ".join(str(each.config / "people.yaml") for each in offices),
        remediation="give the person an account for each office",
    )


def load_people(settings: Settings) -> People:
    """Read the office's `people.yaml`.

    Raises:
        ConfigurationError: when the file is absent or a value is missing, wrong or unknown; when
            the file of another office than the installation's own names people of the installation,
            or somebody who looks after a regency elsewhere.

    """
    file = settings.config / "people.yaml"
    try:
        people = _parsed(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(
            f"approvers, owners and recipients cannot be read: {' '.join(str(error).split())}",
            where=str(file),
            remediation="correct the file; lumbung.publication.delivery.recipients describes its "
            "values",
        ) from error
    if settings.office:
        _require_of_office(people, settings)
    return people


@lru_cache(maxsize=256)
def _parsed(text: str) -> People:
    """Parse a file once: to find an account's office, those of all offices are read."""
    return People.model_validate(yaml.load(text, yaml.CSafeLoader))


def _require_of_office(people: People, settings: Settings) -> None:
    file, own = settings.config / "people.yaml", office.prefix(settings)
    for key in ("engineers", "auditors"):
        if getattr(people, key):
            raise ConfigurationError(
                "who runs or audits the installation reads what is of every office",
                where=f"{file}, {key}",
                remediation="name the accounts in the file of the installation's own office",
            )
    for account, area in {**people.stewards, **people.analysts}.items():
        if area != PROVINCE and not area.startswith(own):
            raise ConfigurationError(
                f"the regency {area} of '{account}' is not one of the office",
                where=str(file),
                remediation=f"give a code that begins with {own}, or '{PROVINCE}'",
            )
