"""HTTP for the connectors that call a server: retries, limits, redirects and paging.

A temporary failure (429, 5xx, a broken connection, truncated data) is tried again, after growing
pauses or after the pause that the server asks for. Any other failure is raised at once, with the
next step. Credentials are in headers or parameters of the client, and in no message.

Only a download follows redirects: within the channel's own server, or to a host that the connection
declares in its extra `redirect_hosts`. A declared host gets no credential, and must have a public
address unless the channel's own server has a private one too.
"""

from __future__ import annotations

import email.utils
import ipaddress
import logging
import socket
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatch
from io import BytesIO
from typing import IO, Any, NamedTuple, Self, TypeVar

import httpx
import orjson
import tenacity

from lumbung.errors import SourceError
from lumbung.intake.connectors.base import SeenIds, SourceConnection
from lumbung.intake.connectors.shared.jsontext import parse_json
from lumbung.intake.evidence import Evidence, Kept

log = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, credentials too

TIMEOUT_SECONDS = 60
ATTEMPTS = 6
MAX_WAIT_SECONDS = 300
"""The longest pause that is made because a server asks for it (Retry-After)."""
MAX_SECONDS = 900
"""How long one answer may take, even if data keeps coming."""
MAX_PAGE = 64 << 20
"""The largest answer, in bytes, that is read into memory."""
MAX_VALUES = 3_000_000
"""The most values in an answer: a value of two bytes (`{}`) takes a hundred bytes once parsed."""
MAX_ATTACHMENT = 100 << 20
"""The largest attachment, in bytes, that is kept."""

MAX_REDIRECTS = 5

_ENCODINGS = ("", "identity", "gzip", "deflate")
"""Content encodings that are read; a list of several may expand the data without limit."""
_PIECE = 1 << 20
"""Bytes that are decompressed at a time."""
_IN_MEMORY = 4 << 20
_MAX_FAILED = 3
"""After so many failed attachments in a row, the next ones are asked for only once."""

Given = TypeVar("Given")


class Answer(NamedTuple):
    """A parsed JSON body, the headers it came with, and its bytes."""

    body: Any
    headers: httpx.Headers
    content: bytes

    def rows_as_kept(self, rows: Any) -> bytes:
        """Rows of the body as bytes for the evidence store.

        Not the whole body: what else is in it (a time, a link) would make every pull's page new.
        """
        try:
            return orjson.dumps(rows)
        except TypeError:  # nested deeper than it writes
            return self.content


class _TemporaryError(Exception):
    """A failure that may not occur again: too many requests, a server error, a broken connection.

    Attributes:
        wait: seconds that the server asks to wait; 0 if it does not.
    """

    def __init__(self, what: str, wait: float = 0) -> None:
        super().__init__(what)
        self.wait = wait


class _RefusedError(SourceError):
    """A failure that concerns one address: the server may answer at others."""


class _NothingError(Exception):
    """The server answers with a status that the caller takes for "there is nothing"."""


class Api:
    """One server, as a channel's connection reaches it.

    Args:
        connection: its address, and in its extra `redirect_hosts` the hosts to which downloads may
            be redirected (a list, or text with commas): `files.example.org`, `*.example.org` or
            `files.example.org:8443`. The caller passes credentials apart.
        where: the place that error messages name.
        headers, params: sent with every request, for example a token.
        auth: login and password, for Basic authentication.
        remediations: HTTP status -> the next step when the server refuses with it.
        redirect_hosts: hosts that the connector itself declares, as in the connection.
    """

    def __init__(
        self,
        connection: SourceConnection,
        where: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        remediations: Mapping[int, str] | None = None,
        redirect_hosts: Collection[str] = (),
    ) -> None:
        self._where = where
        self._remediations = {
            401: "set the credential of the connection to a valid one",
            403: "give the connection's account the right to read this",
            404: "correct the address in the channel file, or the host of the connection",
            **(remediations or {}),
        }
        try:
            self.start = httpx.URL(connection.base_url)
        except httpx.InvalidURL as error:
            raise SourceError(
                "the connection's host is no address",
                where=where,
                remediation="write it as https://host.example.org",
            ) from error
        if self.start.scheme not in ("http", "https") or not self.start.host:
            raise SourceError(
                "the connection has no address that begins with http:// or https://",
                where=where,
                remediation="set the connection's host, e.g. https://host.example.org",
            )
        self._params = dict(params or {})
        self._redirect_hosts = [*redirect_hosts, *_host_patterns(connection)]
        self._failed = 0
        common = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        self.client = httpx.Client(
            timeout=TIMEOUT_SECONDS, headers={**common, **(headers or {})}, auth=auth
        )
        self._anonymous = httpx.Client(timeout=TIMEOUT_SECONDS, headers={**common, "Accept": "*/*"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._anonymous.close()

    def at(self, path: str, params: Mapping[str, str] | None = None) -> httpx.URL:
        """The address of a path below the connection's own, with these query parameters."""
        path, _, query = path.partition("?")
        url = self.start.copy_with(path=f"{self.start.path.rstrip('/')}/{path.lstrip('/')}")
        if query:
            url = url.copy_with(query=query.encode())
        return url.copy_merge_params(params) if params else url

    def follow(self, base: httpx.URL, link: str) -> httpx.URL:
        """The address of a link in a page.

        Raises:
            SourceError: when it is on another server, which must not get the credential.
        """
        try:
            url = base.join(link)
        except (httpx.InvalidURL, ValueError) as error:
            raise self.error("the link to the next page is no address", _PULL_LATER) from error
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise self.error(
                f"the next page would be on another server, {url.scheme}://{url.netloc.decode()}",
                "correct the server's own address (its administrator) or the connection's",
            )
        return url

    def json(
        self,
        url: httpx.URL,
        *,
        post: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        nothing: Collection[int] = (),
    ) -> Answer:
        """Ask for JSON with a GET, or with a POST of JSON or of a form.

        Args:
            url: from `at` or `follow`.
            post: posted as JSON.
            form: posted as a form.
            nothing: statuses that mean that there is nothing; the body is None then.

        Raises:
            SourceError: when the server does not answer with JSON, after all attempts.
        """

        def once() -> Answer:
            method = "GET" if post is None and form is None else "POST"
            content = bytearray()
            try:
                url_with_params = self._with_params(url)
                with self._answer(
                    self.client, method, url_with_params, nothing, json=post, data=form
                ) as response:
                    for piece in self._pieces(response):
                        content += piece
                        if len(content) > MAX_PAGE:
                            raise self.error(
                                f"a page is larger than {MAX_PAGE >> 20} MB",
                                "ask for fewer records a page",
                            )
                    headers = response.headers
            except _NothingError:
                return Answer(None, httpx.Headers(), b"")
            if content.lstrip()[:1] == b"<":
                raise self._for_people(200)
            if sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES:
                raise self.error(
                    f"a page has more than {MAX_VALUES:,} values", "ask for fewer records a page"
                )
            try:
                return Answer(parse_json(bytes(content)), headers, bytes(content))
            except ValueError as error:
                raise _TemporaryError("the data is cut off or no JSON") from error

        return self._retry(once)

    def keep(self, url: httpx.URL, evidence: Evidence, limit: int = MAX_ATTACHMENT) -> Kept | str:
        """Put an attachment into the evidence store, as `download` does.

        An attachment that cannot be downloaded stops nothing: it is logged, and asked for again
        when its submission is read again.

        Returns:
            what was kept, or why nothing was: as for `download`, or `failed` (refused, or no answer
            after all attempts).

        Raises:
            SourceError: when the credential is refused, or the server asks to wait for long.
        """
        try:
            attempts = ATTEMPTS if self._failed < _MAX_FAILED else 1
            kept = self.download(url, evidence, limit, attempts)
        except _RefusedError as error:
            self._failed += 1
            # without its address, which may end with the name of a person's file
            log.warning("%s: an attachment was not kept: %s", self._where, error.what)
            return "failed"
        except SourceError as error:
            raise self.error(f"an attachment: {error.what}", error.remediation) from error
        self._failed = 0
        return kept

    def download(
        self, url: httpx.URL, evidence: Evidence, limit: int, attempts: int = ATTEMPTS
    ) -> Kept | str:
        """Put what is at an address into the evidence store; redirects are followed.

        Returns:
            what was kept, or why nothing was: `too_large` (more than `limit` bytes), `missing`
            (404).

        Raises:
            SourceError: when it cannot be downloaded, or the server redirects to a host that is not
                declared.
        """

        def once() -> Kept | str:
            try:
                with (
                    tempfile.SpooledTemporaryFile(_IN_MEMORY) as file,
                    self._redirected(url) as response,
                ):
                    if not _copy(self._pieces(response), file, limit):
                        return "too_large"
                    file.seek(0)
                    return evidence.keep(file)
            except _NothingError:
                return "missing"

        return self._retry(once, attempts)

    def fetch(self, url: httpx.URL) -> bytes:
        """Return what is at an address, whatever its type; redirects are followed as in `download`.

        It is asked for once, because a person waits.

        Raises:
            SourceError: when it is not there, cannot be downloaded, or is larger than a page may
                be.
        """

        def once() -> bytes:
            file = BytesIO()
            try:
                with self._redirected(url) as response:
                    if not _copy(self._pieces(response), file, MAX_PAGE):
                        raise self.error(f"it is larger than {MAX_PAGE >> 20} MB", "give a part")
            except _NothingError as error:
                raise self.error("there is nothing (HTTP 404)", self._remediations[404]) from error
            return file.getvalue()

        return self._retry(once, attempts=1)

    @contextmanager
    def _redirected(self, url: httpx.URL) -> Iterator[httpx.Response]:
        """The answer at the end of a chain of redirects, not yet read.

        Raises:
            SourceError: when a redirect leads to a host that is not declared, or there are too
                many.
        """
        client, url = self.client, self._with_params(url)
        options: dict[str, Any] = {}
        for _ in range(MAX_REDIRECTS + 1):
            with self._answer(
                client, "GET", url, (404,), is_file=True, may_redirect=True, **options
            ) as response:
                if not response.has_redirect_location:
                    yield response
                    return
            try:
                url = (response.url if not options else url).join(response.headers["Location"])
            except (httpx.InvalidURL, ValueError) as error:
                raise self._for_people(response.status_code) from error
            client, options = self._route(url)
        raise self._for_people(302)

    def _route(self, url: httpx.URL) -> tuple[httpx.Client, dict[str, Any]]:
        """The client for a redirect's address, and options of its request.

        Raises:
            SourceError: when the address must not be asked.
        """
        if _origin(url) == _origin(self.start) or (
            (url.scheme, url.host, url.port) == ("https", self.start.host, None)
            and (self.start.scheme, self.start.port) == ("http", None)
        ):
            return self.client, {}
        host, netloc = url.host, url.netloc.decode()
        is_declared = any(fnmatch(each, p) for p in self._redirect_hosts for each in (host, netloc))
        if not is_declared or url.scheme not in ("https", self.start.scheme):
            raise _RefusedError(
                f"the server redirects to another server, {url.scheme}://{netloc}",
                where=self._where,
                remediation=f"if the service keeps its files there, declare {netloc} in the extra"
                " redirect_hosts of the connection",
            )
        address = _resolve(host)
        if is_inside(address) and not is_inside(self.start.host):
            raise _RefusedError(
                f"the server redirects to {netloc}, which has a private address",
                where=self._where,
                remediation="ask the server's administrator; a public service does not redirect "
                "there",
            )
        # The address that was checked is the one that is asked: a second look-up of the name may
        # give another one.
        pinned = url.copy_with(host=address)
        return self._anonymous, {
            "pinned": pinned,
            "headers": {"Host": netloc},
            "extensions": {"sni_hostname": host},
        }

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        """The content of an answer, decompressed, as it comes.

        Raises:
            SourceError: when the encoding is not read, or the answer takes too long.
        """
        encoding = response.headers.get("Content-Encoding", "").strip().casefold()
        if encoding not in _ENCODINGS:
            raise _RefusedError(
                "the server packs its answers in a way that is not read",
                where=self._where,
                remediation="have its administrator send them unpacked or with gzip",
            )
        end = time.monotonic() + MAX_SECONDS
        raw = response.iter_raw()
        for piece in _decompressed(raw) if encoding in ("gzip", "deflate") else raw:
            yield piece
            if time.monotonic() > end:
                raise _RefusedError(
                    f"the answer is not there after {MAX_SECONDS} seconds",
                    where=self._where,
                    remediation="ask for fewer records a page, or look at the server and the "
                    "line to it",
                )

    def error(self, what: str, remediation: str) -> SourceError:
        """A failure of this source."""
        return SourceError(what, where=self._where, remediation=remediation)

    def _with_params(self, url: httpx.URL) -> httpx.URL:
        """An address with the parameters of the client; unchanged byte for byte without any."""
        return url.copy_merge_params(self._params) if self._params else url

    @contextmanager
    def _answer(
        self,
        client: httpx.Client,
        method: str,
        url: httpx.URL,
        nothing: Collection[int],
        *,
        is_file: bool = False,
        may_redirect: bool = False,
        pinned: httpx.URL | None = None,
        **options: Any,
    ) -> Iterator[httpx.Response]:
        """A good answer, or a redirect where one is allowed; not yet read.

        Args:
            client: sends the request.
            method: of the request.
            url: the address.
            nothing: statuses that mean that there is nothing.
            is_file: whether HTML is a possible content.
            may_redirect: whether a redirect is given back.
            pinned: the address with its host's IP address instead of its name.
            options: of the request.
        """
        try:
            with client.stream(method, pinned or url, **options) as response:
                if not (may_redirect and response.has_redirect_location):
                    self._judge(response, nothing, is_file)
                yield response
        except httpx.UnsupportedProtocol as error:
            raise self._for_people(302) from error
        except (httpx.ProtocolError, httpx.DecodingError) as error:
            # without their text, which quotes what the server sent
            raise _TemporaryError(type(error).__name__) from None
        except httpx.TransportError as error:
            raise _TemporaryError(f"{type(error).__name__} {error}".strip()) from error

    def _judge(self, response: httpx.Response, nothing: Collection[int], is_file: bool) -> None:
        status = response.status_code
        if status in nothing:
            raise _NothingError
        if status == 429 or (status >= 500 and status != 501):
            wait = _retry_after(response.headers.get("Retry-After"))
            if wait > MAX_WAIT_SECONDS:
                raise self.error(
                    f"the server asks to wait {wait:.0f} seconds (HTTP {status})",
                    "let the next scheduled pull read it, or ask for a higher limit",
                )
            raise _TemporaryError(f"HTTP {status}", wait)
        if status >= 400:
            compare = (
                "compare the channel file's source with the documentation of this server's API"
            )
            kind = SourceError if status == 401 else _RefusedError
            raise kind(
                f"the server refuses: HTTP {status}",
                where=self._where,
                remediation=self._remediations.get(status, compare),
            )
        if status != 200 or ("html" in response.headers.get("Content-Type", "") and not is_file):
            raise self._for_people(status)

    def _for_people(self, status: int) -> SourceError:
        return _RefusedError(
            f"the server answers with a page for people, not with data (HTTP {status})",
            where=self._where,
            remediation="set the connection's host to the server's API address and its credential",
        )

    def _retry(self, act: Callable[[], Given], attempts: int = ATTEMPTS) -> Given:
        backoff = tenacity.wait_exponential_jitter(initial=1, max=60)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait if isinstance(error, _TemporaryError) else 0
            return asked or backoff(state)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TemporaryError),
            stop=tenacity.stop_after_attempt(attempts),
            wait=wait,
            sleep=lambda seconds: time.sleep(seconds),
            reraise=True,
        )
        try:
            return retrying(act)
        except _TemporaryError as error:
            raise _RefusedError(
                f"the server does not answer as it should after {attempts} attempts: {error}",
                where=self._where,
                remediation="look whether the server is up and reachable, then pull again",
            ) from error


_PULL_LATER = "pull again later; inform the server's administrator if it stays"


class Listing:
    """The pages of one listing: detects repeated pages, and whether all rows were read.

    Args:
        api: the server, whose messages are used.
        remediation: what to do where the server gives a page twice.

    Attributes:
        page_count: pages that were read.
        row_count: rows that were read, repeated ones included.
    """

    def __init__(self, api: Api, remediation: str = _PULL_LATER) -> None:
        self._api = api
        self._remediation = remediation
        self._noted: set[int] = set()
        self._ids = SeenIds()
        self._totals: set[int | None] = set()
        self.page_count = 0
        self.row_count = 0

    def asked(self, url: httpx.URL) -> None:
        """Note an address before it is requested.

        Raises:
            SourceError: when it was requested before.
        """
        self._note(str(url))

    def page(self, ids: list[Any], total: int | None = None) -> None:
        """Note a page: the ids of its rows, and the total number of rows according to the server.

        Raises:
            SourceError: when a page with exactly these rows was read before.
        """
        texts = [str(each) for each in ids]
        if texts:
            self._note(tuple(texts))
        self._ids.update(texts)
        self._totals.add(total)
        self.page_count += 1
        self.row_count += len(texts)

    @property
    def count(self) -> int:
        """How many different rows were read."""
        return len(self._ids)

    @property
    def is_whole(self) -> bool:
        """Whether every page announced as many rows as were read: none moved between pages."""
        if self._totals == {None}:
            return self.page_count == 1
        return self._totals == {len(self._ids)}

    def _note(self, mark: object) -> None:
        if hash(mark) in self._noted:
            raise self._api.error("the server gives the same page again", self._remediation)
        self._noted.add(hash(mark))


def received(value: object) -> datetime | None:
    """An ISO 8601 time, in UTC if it has no zone; None if the value is not one."""
    try:
        moment = datetime.fromisoformat(str(value).strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the zone may move it before year 1 or after 9999
        return None
    return moment


def is_inside(host: str) -> bool:
    """Whether a host name or IP address leads to a private, loopback or link-local address."""
    return not ipaddress.ip_address(_resolve(host)).is_global


def _resolve(host: str) -> str:
    """An IP address of a host, IPv4 preferred."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _TemporaryError(f"the name {host} is not found") from error
    addresses = sorted(found, key=lambda each: each[0] != socket.AF_INET)
    return str(addresses[0][4][0]).partition("%")[0]


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _host_patterns(connection: SourceConnection) -> list[str]:
    """The hosts that a connection declares in its extra `redirect_hosts`."""
    declared = connection.extra.get("redirect_hosts", ())
    names = declared.split(",") if isinstance(declared, str) else declared
    return [str(each).strip().casefold() for each in names if str(each).strip()]


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Data without its gzip or deflate encoding, at most `_PIECE` bytes at a time."""
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by the header
    is_begun = False
    try:
        for piece in pieces:
            rest = piece
            while rest and not decoder.eof:
                try:
                    content = decoder.decompress(rest, _PIECE)
                except zlib.error:
                    if is_begun:
                        raise
                    decoder = zlib.decompressobj(-zlib.MAX_WBITS)  # deflate without a header
                    content = decoder.decompress(rest, _PIECE)
                is_begun = True
                rest = decoder.unconsumed_tail
                if content:
                    yield content
    except zlib.error as error:
        raise _TemporaryError("the data cannot be decompressed") from error
    if is_begun and not decoder.eof:
        raise _TemporaryError("the data is cut off")


def _copy(pieces: Iterable[bytes], file: IO[bytes], limit: int) -> bool:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            return False
        file.write(piece)
    return True


def _retry_after(value: str | None) -> float:
    """Seconds to wait according to the header (a number or a date); 0 if it is not valid."""
    if value is None:
        return 0
    if value.strip().isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0)
