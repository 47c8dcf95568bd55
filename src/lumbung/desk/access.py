"""Who uses the desk and may do what there, and the database roles in which the desk reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from lumbung import database, orchestration
from lumbung.files import versions
from lumbung.publication.delivery.recipients import PROVINCE, People, load_people
from lumbung.settings import Settings
from lumbung.warehouse import roles

PROVINCE_ROLE = "analyst_province"


@dataclass(frozen=True)
class Person:
    """Somebody who has logged in to Airflow.

    Attributes:
        account: the account's name in Airflow.
        name: name and office as an edition prints them; of others the account.
        may_decide: whether the person approves and rejects editions.
        may_read_drafts: whether the person sees editions before they are published.
        may_audit: whether the person reads the audit log.
        review_role: the database role in which the person reads the review list; empty: not at all.
        may_open_sheet: whether the person opens the leadership sheet.
        analyst_role: the database role of an analyst or steward; empty: neither.
        owner_address: the address of the office whose channels the person looks after; empty: none.
        sees_every_channel: whether the person looks after every channel, as engineers and stewards
            of the province do.

    """

    account: str
    name: str
    may_decide: bool
    may_read_drafts: bool
    may_audit: bool
    review_role: str
    may_open_sheet: bool
    analyst_role: str
    owner_address: str
    sees_every_channel: bool

    @property
    def may_read_data(self) -> bool:
        """Whether the person reads the documentation of the tables."""
        return bool(self.analyst_role) or self.may_audit

    @property
    def may_trace(self) -> bool:
        """Whether the person traces published numbers, to the records that the role may see."""
        return self.may_read_data

    @property
    def reads_province(self) -> bool:
        """Whether the person reads rows of every regency."""
        return self.may_audit or self.analyst_role == PROVINCE_ROLE

    @property
    def may_see_channels(self) -> bool:
        """Whether the person looks after channels."""
        return bool(self.owner_address) or self.sees_every_channel


def person(account: str, settings: Settings) -> Person:
    """Return what an account may do, by `config/people.yaml`; in a demo's home `demo` approves.

    Raises:
        ConfigurationError: when `config/people.yaml` cannot be read.

    """
    people = _people(settings, versions([settings.config / "people.yaml"]))
    approvers = people.approval.users
    may_decide = account in approvers or (account == "demo" and settings.demo_claim.exists())
    return Person(
        account,
        approvers.get(account, account),
        may_decide,
        may_read_drafts=may_decide or account in people.leadership,
        may_audit=account in people.auditors,
        review_role=_role(people.stewards.get(account, "")),
        may_open_sheet=people.may_open_sheet(account),
        analyst_role=_role({**people.stewards, **people.analysts}.get(account, "")),
        owner_address=people.channel_owners.get(account, ""),
        sees_every_channel=account in people.engineers or people.stewards.get(account) == PROVINCE,
    )


@lru_cache(maxsize=1)
def _people(settings: Settings, _versions: object) -> People:
    """Read `config/people.yaml` once for each version of it."""
    return load_people(settings)


def _role(area: str) -> str:
    """Return the role that reads the province or a regency, such as `analyst_19_05`."""
    if area == PROVINCE:
        return PROVINCE_ROLE
    return area and f"analyst_{area.replace('.', '_')}"


def database_url(role: str) -> str:
    """Return the warehouse's URL for a session of a role.

    The login `desk` reads in the roles of readers; what is written is written by another login.

    Raises:
        ConfigurationError, ServiceError: as `roles.role_url`.

    """
    address = orchestration.warehouse_address()
    return _role_url(address, role)


def forget_logins() -> None:
    """Look the passwords of the roles up again at their next use."""
    _role_url.cache_clear()


@cache
def _role_url(address: str, role: str) -> str:
    if re.match(roles.READER, role):
        url = roles.acting_as(roles.role_url(address, "desk"), role)
        database.keep_open(url)
        return url
    return roles.role_url(address, role)
