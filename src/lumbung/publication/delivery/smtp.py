"""Mails: the published edition to its recipients, once each; and notices to owners and approvers.

**Never twice.** Each recipient has a message of her own. All of it but the last byte is handed to
the server, then the step `offered` is committed to `published.mailing`, then the last byte follows
and the answer is awaited. Killed or cut off before that commit, nothing was delivered and the next
attempt sends it. Cut off after it, nobody can know whether the server took the message: it is not
sent again until a person has asked the recipient or the server's log and says so (`release`). Two
mails to a recipient would be worse than one that a person has to look after, and the window is one
round trip. The Message-ID is the same on every attempt, so that a mail system can tell as well.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from typing import Literal

import psycopg

from lumbung import database
from lumbung.errors import CheckpointError, ConfigurationError, PublicationError, ServiceError
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.delivery.recipients import load_people
from lumbung.publication.formats import render
from lumbung.publication.model.store import load
from lumbung.settings import Settings

Security = Literal["starttls", "tls", "none"]

CONNECTION = "smtp_publication"
"""The Airflow Connection of the mail server; without it nothing is mailed."""

SECONDS = 60
"""How long one step of the conversation with a mail server may take."""


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in, and with what rights.

    Attributes:
        security: `starttls` (the connection begins open and must become encrypted), `tls`
            (encrypted from the start), `none` (only for a mail catcher or a relay on this machine).

    """

    host: str
    port: int
    login: str = ""
    password: str = field(default="", repr=False)
    security: Security = "starttls"


def send(
    edition_id: str, *, settings: Settings, database_url: str, server: MailServer
) -> list[str]:
    """Send a published edition to every recipient who has not got it.

    Args:
        edition_id: a published edition.
        settings: where `config/people.yaml` is.
        database_url: the warehouse.
        server: where to hand the mails in.

    Returns:
        the addresses that the server took a message for now.

    Raises:
        PublicationError: when the edition is not published; when the server refuses an address for
            good; when it is not known whether an address got its mail. The others were sent theirs.
        ServiceError: when the server is not there or asks to come again; worth another try.
        ConfigurationError: when the server or the list is configured wrongly.
        CheckpointError: when the letter seems to hold personal data.

    """
    people = load_people(settings)
    edition = load(edition_id, database_url=database_url)
    if edition.state != "published":
        raise PublicationError(
            f"the edition is {edition.state}, not published",
            where=f"edition {edition_id}",
            remediation="publish it first",
        )
    sent: list[str] = []
    refused: dict[str, str] = {}
    with database.connect(database_url, application="lumbung mail") as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(hashtext('lumbung.mail'))")
        stored: dict[str, bytes] = dict(
            connection.execute(
                "select name, content from published.artefact where edition_id = %s",
                (edition_id,),
            ).fetchall()
        )
        steps = {row[0]: row[1] for row in status(connection, edition_id)}
        unsure = [a for a in people.recipients if steps.get(a) == "offered"]
        wanted = [a for a in people.recipients if steps.get(a) not in ("offered", "accepted")]
        if wanted:
            summary = render.letter(edition)
            _refuse_personal_data(edition_id, summary, stored["siaran-pers.txt"])
            with _session(server) as smtp:
                for address in wanted:
                    message = _letter(edition_id, summary, stored, people.sender, address)
                    answer = _hand_over(smtp, connection, edition_id, message)
                    if answer is None:
                        sent.append(address)
                    else:
                        refused[address] = answer
    _complain(edition_id, refused, unsure)
    return sent


def _refuse_personal_data(edition_id: str, summary: tuple[str, str], text: bytes) -> None:
    """Let no letter out that seems to hold personal data."""
    subject, html = summary
    for name, content in (
        ("subject.txt", subject.encode()),
        ("letter.html", html.encode()),
        ("letter.txt", text),
    ):
        for found in find_personal_data(name, content):
            raise CheckpointError(
                f"{name} of the mail holds {found}; nobody was sent anything",
                where=f"edition {edition_id}",
                remediation="find the name or reason that carries it and correct it at its "
                "source; the"
                " next edition is clean",
            )


def _complain(edition_id: str, refused: dict[str, str], unsure: list[str]) -> None:
    """Name who has not got the edition, as one error."""
    for_now = {a: said for a, said in refused.items() if said.startswith("4")}
    if for_now:
        raise ServiceError(
            f"the mail server asks to come again for {_list(for_now)}",
            where=f"edition {edition_id}",
            remediation="run it again in some minutes; everybody else has been sent it",
        )
    if refused:
        raise PublicationError(
            f"the mail server refuses {_list(refused)}",
            where=f"edition {edition_id}, config/people.yaml",
            remediation="correct the address, then clear the task or 'lumbung mail "
            f"{edition_id} --send'; everybody else has been sent it",
        )
    if unsure:
        raise PublicationError(
            f"it is not known whether {', '.join(unsure)} got the mail: the connection broke after"
            " the whole message had been handed over",
            where=f"edition {edition_id}",
            remediation="ask the recipient, or look into the mail server's log; if it did not "
            "arrive:"
            f" 'lumbung mail {edition_id} --again ADDRESS --by NAME --send'",
        )


def _list(refused: dict[str, str]) -> str:
    return ", ".join(f"{address} ({said})" for address, said in refused.items())


def status(connection: psycopg.Connection, edition_id: str) -> list[tuple[str, str, str, str]]:
    """The last step of an edition for each address: address, step, what was said, when (ISO)."""
    return connection.execute(
        "select distinct on (address) address, step, said,"
        " to_char(happened_at at time zone 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI')"
        " from published.mailing where edition_id = %s order by address, mailing_id desc",
        (edition_id,),
    ).fetchall()


def release(edition_id: str, address: str, *, by: str, database_url: str) -> None:
    """Let an edition be sent once more to an address of which nobody knows whether it got it.

    Raises:
        PublicationError: when nobody answers for it, or the address is not in doubt.

    """
    with database.connect(database_url, application="lumbung mail") as connection:
        steps = {row[0]: row[1] for row in status(connection, edition_id)}
        if not by.strip() or steps.get(address.lower()) != "offered":
            raise PublicationError(
                "nobody answers for sending it again"
                if not by.strip()
                else f"{address} is not in doubt: {steps.get(address.lower(), 'nothing was sent')}",
                where=f"edition {edition_id}",
                remediation="give a name and an address that 'lumbung mail' shows as offered",
            )
        _record(connection, edition_id, address.lower(), "released", by.strip())


def notify(
    subject: str,
    text: str,
    *,
    to: list[str],
    sender: str,
    server: MailServer,
    attachment: tuple[str, bytes] | None = None,
) -> None:
    """Send a notice to some people, in one mail.

    Args:
        subject: its head.
        text: plain text.
        to: addresses; none: nothing is sent.
        sender: name and address that it comes from.
        server: where to hand it in.
        attachment: name and bytes of a PDF.

    Raises:
        ServiceError: when the mail server is not there or refuses.
        ConfigurationError: when it is configured wrongly.

    """
    if not to:
        return
    message = _message(subject, text, sender, ", ".join(to))
    if attachment:
        message.add_attachment(
            attachment[1], maintype="application", subtype="pdf", filename=attachment[0]
        )
    with _session(server) as smtp:
        smtp.send_message(message)


# -- messages --------------------------------------------------------------------------------


def _message(subject: str, text: str, sender: str, to: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = formatdate(localtime=False)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    return message


def _letter(
    edition_id: str,
    summary: tuple[str, str],
    stored: dict[str, bytes],
    sender: str,
    address: str,
) -> EmailMessage:
    """The edition for one recipient: its summary as text and HTML, the PDF attached."""
    subject, html = summary
    message = _message(subject, stored["siaran-pers.txt"].decode(), sender, address)
    key = hashlib.sha256(f"{edition_id} {address}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{key}@{parseaddr(sender)[1].partition('@')[2]}>"
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.add_attachment(
        stored["edisi.pdf"], maintype="application", subtype="pdf", filename=f"{edition_id}.pdf"
    )
    return message


# -- the conversation ------------------------------------------------------------------------


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A conversation with the mail server; what breaks it off is a ServiceError."""
    where = f"mail server {server.host}:{server.port}"
    try:
        context = ssl.create_default_context()
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=SECONDS, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
        try:
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.login:
                smtp.login(server.login, server.password)
            yield smtp
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
        finally:
            smtp.close()  # not `with smtp`: it would wait for an answer in the middle of a message
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
        raise ConfigurationError(
            f"the mail server does not accept us: {_said(error)}",
            where=where,
            remediation="correct login, password or 'security' of the Airflow Connection",
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ServiceError(
            f"the mail server broke off or refused: {_said(error)}",
            where=where,
            remediation="look whether it runs and is reachable, then run it again; who has got "
            "the mail"
            " is not sent it again",
        ) from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _hand_over(
    smtp: smtplib.SMTP, connection: psycopg.Connection, edition_id: str, message: EmailMessage
) -> str | None:
    """Hand one message over; None when the server took it, else its answer."""
    address = str(message["To"])
    smtp.ehlo_or_helo_if_needed()
    code, said = smtp.mail(parseaddr(str(message["From"]))[1])
    if code != 250:  # about us, not about the recipient
        raise smtplib.SMTPSenderRefused(code, said, str(message["From"]))
    code, said = smtp.rcpt(address)
    if code in (250, 251):
        code, said = smtp.docmd("DATA")
    if code != 354:
        smtp.rset()
        return _refuse(connection, edition_id, address, code, said)
    content = re.sub(rb"(?m)^\.", b"..", message.as_bytes())
    smtp.send(content + b".\r")
    _record(connection, edition_id, address, "offered", "")
    smtp.send(b"\n")
    code, said = smtp.getreply()
    if code != 250:
        return _refuse(connection, edition_id, address, code, said)
    _record(connection, edition_id, address, "accepted", said.decode(errors="replace"))
    return None


def _refuse(
    connection: psycopg.Connection, edition_id: str, address: str, code: int, said: bytes
) -> str:
    answer = f"{code} {said.decode(errors='replace')}"
    _record(connection, edition_id, address, "refused", answer)
    return answer


def _record(
    connection: psycopg.Connection, edition_id: str, address: str, step: str, said: str
) -> None:
    connection.execute(
        "insert into published.mailing (edition_id, address, step, said) values (%s, %s, %s, %s)",
        (edition_id, address, step, said[:500]),
    )
