"""What the connectors that call a server share: retries, refusals, bounded answers, safe paging.

A failure that may pass (429, 5xx, a broken connection, cut off data) is tried again with growing
pauses, or with the one that the server asks for. Everything else is told at once, with its cure.
Credentials stand in headers or parameters of the client and in no message.
"""

from __future__ import annotations

import email.utils
import logging
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
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
"""The longest pause that a server's Retry-After is obeyed for."""
MAX_SECONDS = 900
"""How long one answer may take to come, however little comes at a time."""
MAX_PAGE = 64 << 20
"""The largest answer, in bytes, that is read into memory."""
MAX_VALUES = 3_000_000
"""Of an answer: a value of two bytes (`{}`) takes a hundred once it is parsed."""
MAX_ATTACHMENT = 100 << 20
"""The largest attachment, in bytes, that is kept."""

_PACKINGS = ("", "identity", "gzip", "deflate")
"""Content encodings that unpack no more than a thousandfold; a list of them multiplies."""
_IN_MEMORY = 4 << 20
_PATIENCE = 3  # attachments in a row that could not be had; the next are asked for only once

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


class _PassingError(Exception):
    """A failure that may pass: too many requests, a server error, a broken connection."""

    def __init__(self, what: str, wait: float = 0) -> None:
        super().__init__(what)
        self.wait = wait


class _RefusedError(SourceError):
    """A failure of one address: others may be answered."""


class _NothingError(Exception):
    """A status that says that there is nothing, where that is no error."""


class Api:
    """One server, as a channel's connection reaches it.

    Args:
        connection: its address; credentials are the caller's business.
        where: what the messages of failures name.
        headers, params: sent with every request, e.g. a token.
        auth: login and password, for Basic authentication.
        cures: HTTP status -> what to do about that refusal.
    """

    def __init__(
        self,
        connection: SourceConnection,
        where: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        cures: Mapping[int, str] | None = None,
    ) -> None:
        self._where = where
        self._cures = {
            401: "set the credential of the connection to a valid one",
            403: "give the connection's account the right to read this",
            404: "correct the address in the channel file, or the host of the connection",
            **(cures or {}),
        }
        try:
            self.start = httpx.URL(connection.base_url)
        except httpx.InvalidURL as error:
            raise SourceError(
                "the connection's host is no address",
                where=where,
                cure="write it as https://host.example.org",
            ) from error
        if self.start.scheme not in ("http", "https") or not self.start.host:
            raise SourceError(
                "the connection has no address that begins with http:// or https://",
                where=where,
                cure="set the connection's host, e.g. https://host.example.org",
            )
        self._params = dict(params or {})
        self._failed = 0
        self.client = httpx.Client(
            timeout=TIMEOUT_SECONDS,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                **(headers or {}),
            },
            auth=auth,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def at(self, path: str, params: Mapping[str, str] | None = None) -> httpx.URL:
        """The address of a path below the connection's own, with these query parameters."""
        path, _, query = path.partition("?")
        url = self.start.copy_with(path=f"{self.start.path.rstrip('/')}/{path.lstrip('/')}")
        if query:
            url = url.copy_with(query=query.encode())
        return url.copy_merge_params(params) if params else url

    def follow(self, base: httpx.URL, link: str) -> httpx.URL:
        """The address that a page's link names.

        Raises:
            SourceError: when it is on another server: the credential is not for that one.
        """
        try:
            url = base.join(link)
        except (httpx.InvalidURL, ValueError) as error:
            raise self.error("the link to the next page is no address", _TELL) from error
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
        """The JSON that a server answers a GET with, or a POST of JSON or of a form.

        Args:
            url: from `at` or `follow`.
            post: what is posted as JSON.
            form: what is posted as a form.
            nothing: statuses that mean that there is nothing; the body is None then.

        Raises:
            SourceError: when it does not, in the end.
        """

        def once() -> Answer:
            method = "GET" if post is None and form is None else "POST"
            content = bytearray()
            try:
                with self._answer(method, url, nothing, json=post, data=form) as response:
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
                raise _PassingError("the data is cut off or no JSON") from error

        return self._retry(once)

    def keep(self, url: httpx.URL, evidence: Evidence, limit: int = MAX_ATTACHMENT) -> Kept | str:
        """Put an attachment into the evidence store, as `download` does.

        One that cannot be had stops nothing: it is logged, and asked for again when its submission
        is read again.

        Returns:
            what was kept, or why not: as `download` says, or `failed` (refused, or not had after
            all attempts).

        Raises:
            SourceError: when the credential is refused, or the server asks to wait for long.
        """
        try:
            attempts = ATTEMPTS if self._failed < _PATIENCE else 1
            kept = self.download(url, evidence, limit, attempts)
        except _RefusedError as error:
            self._failed += 1
            log.warning("%s: attachment %s was not kept: %s", self._where, url.path, error.what)
            return "failed"
        except SourceError as error:
            raise self.error(f"attachment {url.path}: {error.what}", error.cure) from error
        self._failed = 0
        return kept

    def download(
        self, url: httpx.URL, evidence: Evidence, limit: int, attempts: int = ATTEMPTS
    ) -> Kept | str:
        """Put what is at an address into the evidence store.

        Redirects are followed (stores of files answer with one); the Authorization header stays
        with the server that it is for.

        Returns:
            what was kept, or why not: `too_large` (of more than `limit` bytes), `missing` (404).

        Raises:
            SourceError: when it cannot be had.
        """

        def once() -> Kept | str:
            try:
                with (
                    tempfile.SpooledTemporaryFile(_IN_MEMORY) as file,
                    self._answer(
                        "GET", url, (404,), follow_redirects=True, is_file=True
                    ) as response,
                ):
                    if not _copy(self._pieces(response), file, limit):
                        return "too_large"
                    file.seek(0)
                    return evidence.keep(file)  # type: ignore[arg-type] # it has read()
            except _NothingError:
                return "missing"

        return self._retry(once, attempts)

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        """The bytes of an answer as they come.

        Raises:
            SourceError: when it is packed in a way that may unpack beyond measure, or never ends.
        """
        if response.headers.get("Content-Encoding", "").strip().casefold() not in _PACKINGS:
            raise _RefusedError(
                "the server packs its answers in a way that is not read",
                where=self._where,
                cure="have its administrator send them unpacked or with gzip",
            )
        end = time.monotonic() + MAX_SECONDS
        for piece in response.iter_bytes():
            yield piece
            if time.monotonic() > end:
                raise _RefusedError(
                    f"the answer is not there after {MAX_SECONDS} seconds",
                    where=self._where,
                    cure="ask for fewer records a page, or look at the server and the line to it",
                )

    def error(self, what: str, cure: str) -> SourceError:
        """A failure of this source."""
        return SourceError(what, where=self._where, cure=cure)

    @contextmanager
    def _answer(
        self,
        method: str,
        url: httpx.URL,
        nothing: Collection[int],
        *,
        is_file: bool = False,
        **options: Any,
    ) -> Iterator[httpx.Response]:
        """A good answer, not yet read."""
        try:
            if self._params:  # a link is followed as it is, byte for byte, otherwise
                url = url.copy_merge_params(self._params)
            with self.client.stream(method, url, **options) as response:
                self._judge(response, nothing, is_file)
                yield response
        except (httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise self._for_people(302) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _PassingError(f"{type(error).__name__} {error}".strip()) from error

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
            raise _PassingError(f"HTTP {status}", wait)
        if status >= 400:
            told = "compare the channel file's source with the documentation of this server's API"
            kind = SourceError if status == 401 else _RefusedError
            raise kind(
                f"the server refuses: HTTP {status}",
                where=self._where,
                cure=self._cures.get(status, told),
            )
        if status != 200 or ("html" in response.headers.get("Content-Type", "") and not is_file):
            raise self._for_people(status)

    def _for_people(self, status: int) -> SourceError:
        return _RefusedError(
            f"the server answers with a page for people, not with data (HTTP {status})",
            where=self._where,
            cure="set the connection's host to the server's API address and its credential",
        )

    def _retry(self, act: Callable[[], Given], attempts: int = ATTEMPTS) -> Given:
        backoff = tenacity.wait_exponential_jitter(initial=1, max=60)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait if isinstance(error, _PassingError) else 0
            return asked or backoff(state)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_PassingError),
            stop=tenacity.stop_after_attempt(attempts),
            wait=wait,
            sleep=lambda seconds: time.sleep(seconds),
            reraise=True,
        )
        try:
            return retrying(act)
        except _PassingError as error:
            raise _RefusedError(
                f"the server does not answer as it should after {attempts} attempts: {error}",
                where=self._where,
                cure="look whether the server is up and reachable, then pull again",
            ) from error


_TELL = "pull again later; tell the server's administrator if it stays"


class Listing:
    """The pages of one listing: that none comes twice, and whether they were all there is.

    Args:
        api: the server, for its messages.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._met: set[int] = set()
        self._ids = SeenIds()
        self._totals: set[int | None] = set()
        self.page_count = 0
        """How many pages came."""
        self.row_count = 0
        """How many rows came, the same one twice included."""

    def asked(self, url: httpx.URL) -> None:
        """Note an address before it is asked for.

        Raises:
            SourceError: when it was asked for before.
        """
        self._note(str(url))

    def page(self, ids: list[Any], total: int | None = None) -> None:
        """Note a page: the ids of its rows and the number of rows that the server says there are.

        Raises:
            SourceError: when a page of just these rows came before.
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
        """How many different rows came."""
        return len(self._ids)

    @property
    def is_whole(self) -> bool:
        """Whether the rows are as many as every page said: nothing shifted between two pages."""
        if self._totals == {None}:
            return self.page_count == 1
        return self._totals == {len(self._ids)}

    def _note(self, mark: object) -> None:
        if hash(mark) in self._met:
            raise self._api.error("the server gives the same page again", _TELL)
        self._met.add(hash(mark))


def received(value: object) -> datetime | None:
    """An ISO 8601 moment, in UTC where it says no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(str(value).strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):  # also the year 1 or 9999, moved by its zone
        return None
    return moment


def _copy(pieces: Iterable[bytes], file: IO[bytes], limit: int) -> bool:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            return False
        file.write(piece)
    return True


def _retry_after(value: str | None) -> float:
    """Seconds to wait as the header says (a number or a date); 0 where it says nothing."""
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
