"""Who uses the desk and may do what there, and the database roles in which the desk reads."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from lumbung import database, orchestration
from lumbung.errors import ConfigurationError
from lumbung.files import versions
from lumbung.publication import office
from lumbung.publication.delivery.recipients import (
    PROVINCE,
    People,
    load_people,
    office_of_account,
)
from lumbung.settings import Settings
from lumbung.warehouse import roles

log = logging.getLogger(__name__)

PROVINCE_ROLE = "analyst_province"
"""The role that reads every row."""
FILES = ("edition.yaml", "people.yaml")
"""What says who may do what."""


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
            of the whole warehouse do.
        office: the code of the person's office; empty: the installation's own.
        area_prefix: what the codes of the regions begin with for which the office publishes; empty:
            those of every region.

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
    office: str
    area_prefix: str

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
        """Whether the person reads every row of the warehouse."""
        return self.may_audit or self.analyst_role == PROVINCE_ROLE

    @property
    def region_prefix(self) -> str:
        """What the codes of the regions begin with that concern the person; empty: of every region.

        The installation's own office runs the warehouse, so that every region concerns it.
        """
        return self.area_prefix if self.office else ""

    @property
    def is_steward_of_warehouse(self) -> bool:
        """Whether the person decides what counts in every province: words, excluded records."""
        return self.review_role == PROVINCE_ROLE and not self.office

    @property
    def is_steward_of_province(self) -> bool:
        """Whether the person decides places: of the own province, or for the warehouse of all."""
        return self.is_steward_of_warehouse or (
            bool(self.region_prefix) and self.review_role == f"analyst_{self.region_prefix}"
        )

    @property
    def may_read_checks(self) -> bool:
        """Whether the person reads the results of checks, which name rows of every regency."""
        return self.may_audit or (self.reads_province and not self.office)

    @property
    def may_see_channels(self) -> bool:
        """Whether the person looks after channels."""
        return bool(self.owner_address) or self.sees_every_channel or self.is_steward_of_province


def person(account: str, settings: Settings) -> Person:
    """Return what an account may do, by its office's `people.yaml`.

    In a demo's home `demo` approves.

    Raises:
        ConfigurationError: when that file cannot be read, or two offices name the account.

    """
    files = [each.config / name for each in settings.offices for name in FILES]
    here, people, prefix = _office(account, settings, versions(files))
    own = prefix if here.office else ""
    approvers = people.approval.users
    may_decide = account in approvers or (account == "demo" and settings.demo_claim.exists())
    return Person(
        account,
        approvers.get(account, account),
        may_decide,
        may_read_drafts=may_decide or account in people.leadership,
        may_audit=account in people.auditors,
        review_role=_role(people.stewards.get(account, ""), own),
        may_open_sheet=people.may_open_sheet(account),
        analyst_role=_role({**people.stewards, **people.analysts}.get(account, ""), own),
        owner_address=people.channel_owners.get(account, ""),
        sees_every_channel=account in people.engineers
        or (not here.office and people.stewards.get(account) == PROVINCE),
        office=here.office,
        area_prefix=prefix,
    )


@lru_cache(maxsize=1000)
def _office(account: str, settings: Settings, _versions: object) -> tuple[Settings, People, str]:
    """Read the files of the account's office once for each version of all.

    An `edition.yaml` that cannot be read stops editions, not the desk.
    """
    here = office_of_account(account, settings)
    try:
        prefix = office.prefix(here)
    except ConfigurationError as error:
        log.warning("%s", error)
        prefix = here.office
    return here, load_people(here), prefix


def _role(area: str, prefix: str) -> str:
    """Return the role that reads the office's regions, or one regency: `analyst_19_05`."""
    if area == PROVINCE:
        return f"analyst_{prefix}" if prefix else PROVINCE_ROLE
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
