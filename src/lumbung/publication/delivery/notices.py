"""Notices of what needs a person, by mail and by each person's own services.

A notice says what happened, since when, what to do, and where at the desk. It is sent once within
`Notice.pause`, however often and on whichever machine its cause is found (`history`).
`config/people.yaml` lists the services of a person by mail address: whoever gets a notice by mail
gets it by these services too.

A chat service belongs to somebody else, so it gets no content of a draft: `Notice.detail` and the
attachment go by mail only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lumbung.errors import LumbungError, ServiceError
from lumbung.publication.delivery import history, smtp
from lumbung.publication.delivery.recipients import Event, People, load_people
from lumbung.publication.delivery.smtp import MailServer
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import JAKARTA, Settings

m = INDONESIAN

PAUSE = timedelta(hours=20)
"""A notice with the same cause is not sent again within this time: once a day."""
MAIL = "mail"


@dataclass(frozen=True)
class Notice:
    """What needs a person.

    Attributes:
        event: the kind, by which a person can mute it.
        key: what it is about; notices of one event and key have the same cause.
        subject: one line.
        text: what happened.
        action: what to do.
        page: the page of the desk, such as `/edisi/2024-W47-r1`.
        since: since when; None: when the cause was first found.
        pause: how long the same is not sent again.
        detail: what only the mail says.
        attachment: name and bytes of a PDF, which only the mail has.

    """

    event: Event
    key: str
    subject: str
    text: str
    action: str
    page: str = "/"
    since: datetime | None = None
    pause: timedelta = PAUSE
    detail: str = ""
    attachment: tuple[str, bytes] | None = None


@dataclass(frozen=True)
class Notifier:
    """Sends notices. No way of sending stops another one, and none raises an error.

    Attributes:
        settings: the office whose people are notified, and where the home is.
        database_url: returns the warehouse as `publisher`, where the history of notices is.
        server: returns the mail server; None: there is none.
        service: returns the address of a service, as apprise writes it, by Airflow Connection.
        desk: the address of the desk; empty: it is not known.

    """

    settings: Settings
    database_url: Callable[[], str]
    server: Callable[[], MailServer | None]
    service: Callable[[str], str]
    desk: str = ""

    def send(self, notice: Notice, to: Callable[[People], Sequence[str]]) -> None:
        """Send a notice to people, of whom `to` returns the mail addresses.

        What could not be sent is printed, reported to the owners by the other ways, and tried again
        when the cause is found the next time.
        """
        failed = self._send(notice, to)
        if not failed:
            return
        reasons = "\n".join(f"- {way}: {reason}" for way, reason in failed.items())
        print(f"a notice could not be sent ({notice.subject}):\n{reasons}")
        report = Notice(
            "service",
            " ".join(failed),
            m("notice_service", services=m.listing(list(failed))),
            f"{m['notice_service_text']}\n{reasons}",
            m["notice_service_action"],
        )
        for way, reason in self._send(report, lambda people: people.owners, without=failed).items():
            print(f"the owners could not be notified of it by {way}: {reason}")

    def _send(
        self, notice: Notice, to: Callable[[People], Sequence[str]], *, without: Iterable[str] = ()
    ) -> dict[str, str]:
        """Send a notice by every way but those in `without`; return which failed, and why."""
        failed: dict[str, str] = {}
        try:
            people = load_people(self.settings)
        except (LumbungError, OSError) as error:
            print(f"nobody could be notified: {error}")
            return failed
        today = datetime.now(JAKARTA).date()
        wanted = [
            address
            for address in dict.fromkeys(to(people))
            if not people.is_muted(address, notice.event, today)
        ]
        services = dict.fromkeys(s for a in wanted for s in people.services.get(a, ()))
        ways = [way for way in (MAIL, *services) if wanted and way not in without]
        key = f"{self.settings.office} {notice.key}" if self.settings.office else notice.key
        with history.opened(self.database_url, notice.event, key) as past:
            for way in ways:
                attempt = past.attempt(way, notice.pause)
                if attempt is None:
                    continue
                text = self._text(notice, past.since, is_repeated=attempt.is_repeated)
                is_sent = False
                try:
                    if way == MAIL:
                        refused = self._mail(notice, text, wanted, people.sender)
                        is_sent = refused is not None
                        # sent all the same: trying again would send it twice to the others
                        for address, reply in (refused or {}).items():
                            failed[f"{MAIL} ({address})"] = reply
                    else:
                        is_sent = self._call(notice, text, way)
                except Exception as error:  # of any library, network or Airflow
                    failed[way] = f"{error}" or type(error).__name__
                past.end(attempt, is_sent=is_sent)
        return failed

    def _mail(self, notice: Notice, text: str, to: list[str], sender: str) -> dict[str, str] | None:
        """Send by mail; return the addresses that were refused; None: there is no server."""
        server = self.server()
        if server is None:
            return None
        return smtp.notify(
            notice.subject,
            "\n\n".join(filter(None, (text, notice.detail))),
            to=to,
            sender=sender,
            server=server,
            attachment=notice.attachment,
        )

    def _call(self, notice: Notice, text: str, connection: str) -> bool:
        """Send by a service; no message names its address, which holds a token."""
        import apprise

        service = apprise.Apprise()
        if not service.add(self.service(connection)):
            raise ServiceError(
                "apprise does not know this kind of address",
                where=f"Airflow Connection {connection}",
                remediation="write the address as apprise's documentation of the service does",
            )
        if not service.notify(title=notice.subject, body=text):
            raise ServiceError(
                "the service did not take the message",
                where=f"Airflow Connection {connection}",
                remediation="check its address and whether the service can be reached",
            )
        return True

    def _text(self, notice: Notice, since: datetime, *, is_repeated: bool) -> str:
        lines = [
            notice.text,
            m("notice_since", moment=m.moment(notice.since or since)),
            m("notice_action", action=notice.action),
        ]
        if self.desk:
            lines.append(m("notice_page", address=f"{self.desk}{notice.page}"))
        if hours := notice.pause // timedelta(hours=1):
            lines.append(m("notice_again", hours=m.number(hours)))
        if is_repeated:
            lines.append(m["notice_repeated"])
        return "\n\n".join(lines)


def without_numbers(text: str) -> str:
    """Return a text without its numbers: what is the same cause with other counts or times."""
    return re.sub(r"\d+", "", text)
