"""Mails: the published edition to its recipients, once each; and notices to owners and approvers.

**Never twice.** Each recipient gets a separate message, in three steps: all but its last byte is
sent to the server; the step `offered` is committed to `published.mailing`; the last byte is sent
and the server's reply awaited. When the process or the connection ends before that commit, nothing
was delivered, and the next attempt sends the message. When it ends after the commit, it is unknown
whether the server accepted the message. Then it is sent again only after a person has asked the
recipient or read the server's log, and confirms that it did not arrive (`release`). This window is
one round trip; a rare manual check is preferred to duplicate mails. The Message-ID is the same on
every attempt, so that mail systems can recognise duplicates too.
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
from lumbung.publication.checks.stored import require_proven
from lumbung.publication.delivery.recipients import load_people
from lumbung.publication.formats import render
from lumbung.publication.model.store import load
from lumbung.publication.proof.manifest import MANIFEST, Manifest
from lumbung.settings import Settings

Security = Literal["starttls", "tls", "none"]

CONNECTION = "smtp_publication"
"""The Airflow Connection of the mail server; without it nothing is mailed."""

SECONDS = 60
"""Seconds that one SMTP command may take."""


@dataclass(frozen=True)
class MailServer:
    """The mail server and the account to use.

    Attributes:
        security: `starttls` (the connection begins in plain text and must become encrypted), `tls`
            (encrypted from the start), `none` (only for a test server or a relay on this machine).

    """

    host: str
    port: int
    login: str = ""
    password: str = field(default="", repr=False)
    security: Security = "starttls"


def send(
    edition_id: str, *, settings: Settings, database_url: str, server: MailServer
) -> list[str]:
    """Send a published edition to every recipient who has not received it.

    Args:
        edition_id: a published edition.
        settings: where `config/people.yaml` is.
        database_url: the warehouse.
        server: the mail server.

    Returns:
        the addresses for which the server has just accepted a message.

    Raises:
        PublicationError: when the edition is not published, or is not the one that was signed; when
            the server permanently refuses an address; when it is unknown whether an address
            received its mail. In the last two cases all other recipients have been sent theirs.
        ServiceError: when the server cannot be reached or refuses temporarily; try again later.
        ConfigurationError: when the server or `config/people.yaml` is configured wrongly.
        CheckpointError: when the mail seems to hold personal data.

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
    with database.session(database_url, application="lumbung mail") as connection:
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
            require_proven(connection, settings)
            summary = render.letter(edition, _root(stored))
            _refuse_personal_data(edition_id, summary, stored["siaran-pers.txt"])
            with _session(server) as smtp:
                for address in wanted:
                    message = _letter(edition_id, summary, stored, people.sender, address)
                    reply = _deliver(smtp, connection, edition_id, message)
                    if reply is None:
                        sent.append(address)
                    else:
                        refused[address] = reply
    _require_delivered(edition_id, refused, unsure)
    return sent


def _root(stored: dict[str, bytes]) -> str:
    """Return the root hash of an edition, empty where it was published before roots were."""
    manifest = stored.get(MANIFEST)
    return Manifest(manifest).root if manifest else ""


def _refuse_personal_data(edition_id: str, summary: tuple[str, str], text: bytes) -> None:
    """Raise when the mail seems to hold personal data."""
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
                remediation="find the name or reason that holds it and correct it at its "
                "source; the next edition will not have it",
            )


def _require_delivered(edition_id: str, refused: dict[str, str], unsure: list[str]) -> None:
    """Raise an error that names the recipients who have not received the edition."""
    deferred = {address: reply for address, reply in refused.items() if reply.startswith("4")}
    if deferred:
        raise ServiceError(
            f"the mail server temporarily refuses {_list(deferred)}",
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
            f"it is not known whether {', '.join(unsure)} received the mail: the connection broke"
            " after the whole message had been sent",
            where=f"edition {edition_id}",
            remediation="ask the recipient, or look into the mail server's log; if it did not "
            f"arrive: 'lumbung mail {edition_id} --again ADDRESS --by NAME --send'",
        )


def _list(refused: dict[str, str]) -> str:
    return ", ".join(f"{address} ({reply})" for address, reply in refused.items())


def status(connection: psycopg.Connection, edition_id: str) -> list[tuple[str, str, str, str]]:
    """Return the last step for each address: address, step, the server's reply, time (WIB)."""
    return connection.execute(
        "select distinct on (address) address, step, said,"
        " to_char(happened_at at time zone 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI')"
        " from published.mailing where edition_id = %s order by address, mailing_id desc",
        (edition_id,),
    ).fetchall()


def release(edition_id: str, address: str, *, by: str, database_url: str) -> None:
    """Allow an edition to be sent again to an address that may not have received it.

    Raises:
        PublicationError: when nobody is named, or the step of the address is not `offered`.

    """
    with database.connect(database_url, application="lumbung mail") as connection:
        steps = {row[0]: row[1] for row in status(connection, edition_id)}
        if not by.strip() or steps.get(address.lower()) != "offered":
            raise PublicationError(
                "nobody is named who confirms that it did not arrive"
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
) -> dict[str, str]:
    """Send a notice to several addresses in one mail.

    Args:
        subject: its subject.
        text: plain text.
        to: addresses; empty: nothing is sent.
        sender: name and address of the sender.
        server: the mail server.
        attachment: name and bytes of a PDF.

    Returns:
        the server's reply for each address that it has refused; the others were sent the mail.

    Raises:
        ServiceError: when the mail server cannot be reached or refuses all addresses.
        ConfigurationError: when it is configured wrongly.

    """
    if not to:
        return {}
    message = _message(subject, text, sender, ", ".join(to))
    if attachment:
        message.add_attachment(
            attachment[1], maintype="application", subtype="pdf", filename=attachment[0]
        )
    with _session(server) as smtp:
        refused = smtp.send_message(message)
    return {
        address: f"{code} {reply.decode(errors='replace')}"
        for address, (code, reply) in refused.items()
    }


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
    """Return the mail for one recipient: the summary as text and HTML, the PDF attached."""
    subject, html = summary
    message = _message(subject, stored["siaran-pers.txt"].decode(), sender, address)
    key = hashlib.sha256(f"{edition_id} {address}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{key}@{parseaddr(sender)[1].partition('@')[2]}>"
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.add_attachment(
        stored["edisi.pdf"], maintype="application", subtype="pdf", filename=f"{edition_id}.pdf"
    )
    return message


# -- SMTP ------------------------------------------------------------------------------------


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """Open an SMTP session; raise a ServiceError when it breaks."""
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
            f"the mail server does not accept the login or encryption: {_text(error)}",
            where=where,
            remediation="correct login, password or 'security' of the Airflow Connection",
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ServiceError(
            f"the mail server closed the connection or refused: {_text(error)}",
            where=where,
            remediation="check that it runs and can be reached, then run this again; nobody gets "
            "the mail twice",
        ) from error


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _deliver(
    smtp: smtplib.SMTP, connection: psycopg.Connection, edition_id: str, message: EmailMessage
) -> str | None:
    """Send one message; return None when the server accepts it, else its reply."""
    address = str(message["To"])
    smtp.ehlo_or_helo_if_needed()
    code, reply = smtp.mail(parseaddr(str(message["From"]))[1])
    if code != 250:  # the sender is refused, not the recipient
        raise smtplib.SMTPSenderRefused(code, reply, str(message["From"]))
    code, reply = smtp.rcpt(address)
    if code in (250, 251):
        code, reply = smtp.docmd("DATA")
    if code != 354:
        smtp.rset()
        return _record_refusal(connection, edition_id, address, code, reply)
    content = re.sub(rb"(?m)^\.", b"..", message.as_bytes())
    smtp.send(content + b".\r")
    _record(connection, edition_id, address, "offered", "")
    smtp.send(b"\n")
    code, reply = smtp.getreply()
    if code != 250:
        return _record_refusal(connection, edition_id, address, code, reply)
    _record(connection, edition_id, address, "accepted", reply.decode(errors="replace"))
    return None


def _record_refusal(
    connection: psycopg.Connection, edition_id: str, address: str, code: int, reply: bytes
) -> str:
    text = f"{code} {reply.decode(errors='replace')}"
    _record(connection, edition_id, address, "refused", text)
    return text


def _record(
    connection: psycopg.Connection, edition_id: str, address: str, step: str, reply: str
) -> None:
    connection.execute(
        "insert into published.mailing (edition_id, address, step, said) values (%s, %s, %s, %s)",
        (edition_id, address, step, reply[:500]),
    )
