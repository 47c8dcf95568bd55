"""Lines of a WhatsApp export put together to messages, and which lines are no message.

Nothing in an export tells the first line of a message from a line that somebody typed into one. So
a line that looks like a beginning is judged by what its author cannot choose:

- the dialect: a phone writes every line of an export in one format, that of the first line. A line
  in another one is text of the message it stands in.
- line ends: an iPhone ends messages with CR LF, and lines within a message with LF alone.
- the order: times never decrease, none is before the first line or after now. Of lines that
  contradict one another the largest set that agrees is kept; the others are in doubt. Lines that
  one message may hold outvote nobody: where they contradict several others, all are in doubt.
  Phones put messages a few minutes out of order (`DISORDER`). Such a line is kept where nobody can
  speak in another's name through it: on an iPhone with its line ends, from a sender of the export;
  elsewhere behind a message of its own sender.
- the sender: a line without one is a notice of the app if it reads like one, and takes one line.

A line in doubt is given with its text and what follows it, but never as a message; what was before
it stays a message. `docs/reference/channels/whatsapp.md` says what cannot be told at all.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import TextIOWrapper
from itertools import pairwise
from typing import BinaryIO, NamedTuple

MAX_TEXT = 256 << 20
"""Characters of an export."""
MAX_MESSAGE = 1 << 20
"""Characters of a message that are kept; WhatsApp itself ends at 65,536."""

DISORDER = timedelta(minutes=5)
"""How far a message may stand out of order, within a day."""
_MAX_SENT = 65_536
"""Characters that WhatsApp lets a message have."""

MESSAGE, TEXT, LATE, DOUBTFUL, STRAY = range(5)
"""What a line is: the beginning of a message or notice; text of the message before; a message from
after now; in doubt; text before the first message."""

_SENT, _NOTICE, _NAMELESS, _TYPED = range(4)
_LINE_ENDS = ("\n", "\r\n")
_IMPOSSIBLE = -1
_DAY = 24 * 60
_FIRST_YEAR = 2009
"""That of WhatsApp's beginning."""
_MAX_MINUTE = 1 << 62

_INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202c\u2066-\u2069\ufeff]")
_HEAD = re.compile(
    r"(?P<open>\[?)(?P<a>[0-9]{1,4})(?P<s1>[/.\-])(?P<b>[0-9]{1,2})(?P<s2>[/.\-])(?P<c>[0-9]{2,4})"
    r"(?P<gap>,?\s{1,3}(?:pukul\s|at\s)?)(?P<hour>[0-9]{1,2})(?P<s3>[.:])(?P<minute>[0-9]{2})"
    r"(?:(?P<s4>[.:])[0-9]{2})?(?:(?P<s5>\s?)(?P<half>[AaPp])(?P<m>\.?\s?[Mm]\.?))?"
    r"(?P<close>\]\s|\s{1,3}[-–]\s)(?P<rest>.*)",
    re.DOTALL,
)
_SENDER = re.compile(r"(?P<sender>[^\n]{1,100}?):(?: (?P<text>.*)|\s*)", re.DOTALL)
_NOTICES = re.compile(
    r"pesan dan panggilan terenkripsi (?:secara )?end-to-end\."
    r"|messages and calls are end-to-end encrypted\."
    r"|messages to this (?:chat|group) (?:and calls )?are now secured with end-to-end encryption\.",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r" (?:membuat grup|mengubah (?:subjek|nama|deskripsi|ikon|setelan)|created group"
    r"|changed the (?:subject|group))\b[^\"“”]*[\"“”]",
    re.IGNORECASE,
)
"""What comes before a colon in a name that the app quotes: no sender's name."""
_EVENT = re.compile(
    r"\b(?:(?:membuat|menghapus|mengubah|memperbarui|meninggalkan) \w+|(?:di)?tambahkan"
    r"|menambahkan|(?:meng|di)keluarkan|keluar|bergabung|diundang|mengundang|(?:di|ber)ubah|admin"
    r"|kode keamanan|terenkripsi|pesan sementara|(?:menyemat|disemat)kan|(?:mem|di)?blokir"
    r"|panggilan|tautan|komunitas|(?:meng|menon)aktifkan|(?:di|non)aktifkan|nomor|menunggu pesan"
    r"|created|added|removed|left|joined|changed|security code|end-to-end|disappearing|pinned"
    r"|(?:un)?blocked|calls?|invited?|community|turned (?:on|off)|requested|reset|deleted"
    r"|waiting for this message|number)\b",
    re.IGNORECASE,
)
_EDITED = re.compile(r"<(?:pesan ini (?:telah )?diedit|this message was edited)>", re.IGNORECASE)
_LONGEST_MARK = 40


class OversizedError(Exception):
    """An archive's text goes on for longer than any chat does."""


class Message(NamedTuple):
    """One message, or what is none.

    Attributes:
        number: the line it begins on (1 first).
        parts: its date and time as written; empty for a stray text.
        text: what follows them, with every line up to the next beginning.
        verdict: `MESSAGE`, `LATE`, `DOUBTFUL` or `STRAY`.
    """

    number: int
    parts: dict[str, str | None]
    text: str
    verdict: int


@dataclass
class Outline:
    """What the first reading of an export learns.

    Attributes:
        dialect: fits the lines that may begin a message; None: it is no chat.
        first: the number of the first of them.
        verdicts: one for each line that fits the dialect, in their order.
        ends_at: the minute of its last message, as written.
        edited: minute and sender of messages that carry the mark of an edit, and perhaps of others.
        is_damaged: whether it could not be read to its end.
        is_disordered: whether messages are kept that are out of order.
    """

    dialect: re.Pattern[str] | None = None
    first: int = 0
    verdicts: bytearray = field(default_factory=bytearray)
    ends_at: datetime | None = None
    edited: set[tuple[datetime, str]] = field(default_factory=set)
    is_damaged: bool = False
    is_disordered: bool = False

    def head(self, line: str, before: str) -> re.Match[str] | None:
        """The parts of a line that may begin a message.

        Args:
            line: without its end.
            before: the end of the line before it.
        """
        if before not in _LINE_ENDS:
            return None
        if self.dialect is not None:
            return self.dialect.fullmatch(line)
        found = _HEAD.fullmatch(line)
        return found if found and bool(found["open"]) == found["close"].startswith("]") else None


def survey(
    stream: BinaryIO, order: str, latest: datetime, failures: tuple[type[Exception], ...]
) -> Outline:
    """Read an export for the first time, line by line.

    Args:
        stream: its bytes.
        order: how dates are written: `dmy` or `mdy`.
        latest: the latest minute, as written, that a message can have.
        failures: what a damaged archive may raise: the outline ends there, and so will `messages`.
    """
    outline = Outline()
    times, kinds = array("q"), bytearray()
    befores = bytearray()
    places, senders = array("q"), array("q")
    total = 0
    is_iphone = is_crlf = False
    current: tuple[datetime, str] | None = None
    try:
        for number, line, ending, before in _lines(stream):
            is_crlf |= ending == "\r\n"
            if found := outline.head(line, before):
                if outline.dialect is None:
                    outline.dialect, outline.first = _dialect(found), number
                    is_iphone = bool(found["open"])
                befores.append(_LINE_ENDS.index(before))
                places.append(total)
                at, sent = moment(found.groupdict(), order), sender(found["rest"])
                senders.append(hash(sent[0]) if sent else 0)
                times.append(_IMPOSSIBLE if at is None else _minutes(at))
                if sent:
                    current = (at, sent[0]) if at else None
                    kinds.append(_SENT)
                elif is_notice(found["rest"]):
                    current = None
                    kinds.append(_NOTICE)
                else:
                    kinds.append(_NAMELESS)
            total += len(line) + len(ending)
            if current and line.rstrip().endswith(">") and edited(line)[1]:
                outline.edited.add(current)
    except failures:
        outline.is_damaged = True  # told by the second reading
    is_told = is_iphone and is_crlf
    if is_told:
        for place in range(1, len(kinds)):
            if _LINE_ENDS[befores[place]] == "\n":
                kinds[place] = _TYPED
    places.append(total)
    outline.verdicts = _judge(times, kinds, places, _minutes(latest))
    outline.is_disordered = _forgive(outline.verdicts, times, kinds, senders, is_told=is_told)
    taken = (t for t, v in zip(times, outline.verdicts, strict=True) if v == MESSAGE)
    if (last := max(taken, default=_IMPOSSIBLE)) != _IMPOSSIBLE:
        outline.ends_at = datetime.fromordinal(last // _DAY) + timedelta(minutes=last % _DAY)
    return outline


def messages(stream: BinaryIO, outline: Outline) -> Iterator[Message]:
    """Read an export for the second time: its messages and what is in doubt, in their order."""
    number, size, count = 1, 0, 0
    parts: dict[str, str | None] = {}
    verdict = STRAY
    lines: list[str] = []

    def item() -> Message:
        return Message(number, parts, "".join(lines).rstrip("\n"), verdict)

    for at, line, ending, before in _lines(stream):
        found = outline.head(line, before)
        if found is not None:
            count += 1
        if found is not None and outline.verdicts[count - 1] != TEXT:
            if verdict != STRAY or any(each.strip() for each in lines):
                yield item()
            parts = found.groupdict()
            rest = str(parts.pop("rest"))
            parts = {name: parts[name] for name in ("a", "b", "c", "hour", "minute", "half")}
            number, size, verdict = at, 0, outline.verdicts[count - 1]
            lines = [rest, "\n" if ending else ""]
        elif size <= MAX_MESSAGE:
            lines += (line, "\n" if ending else "")
        size += len(line)
    if verdict != STRAY or any(each.strip() for each in lines):
        yield item()


def sender(whole: str) -> tuple[str, str] | None:
    """Sender and text of what follows a date; None for the app's own notices."""
    found = _SENDER.fullmatch(whole)
    if found is None or _NOTICES.match(whole) or _NOTICES.match(found["text"] or ""):
        return None
    if _GROUP.search(found["sender"]):
        return None
    return found["sender"].removeprefix("~").strip(), found["text"] or ""


def is_notice(whole: str) -> bool:
    """Whether what has no sender reads like a notice of the app: one line, of a known event."""
    if "\n" in whole.strip():
        return False
    return bool(_SENDER.fullmatch(whole) or _NOTICES.match(whole) or _EVENT.search(whole))


def edited(text: str) -> tuple[str, str]:
    """A text without the mark of an edit at its end, and the mark with the space around it."""
    whole = text.rstrip()
    at = whole.rfind("<", -_LONGEST_MARK)
    if at < 0 or _EDITED.fullmatch(whole, at) is None:
        return text, ""
    written = whole[:at].rstrip()
    return written, text[len(written) :]


def moment(parts: Mapping[str, str | None], order: str) -> datetime | None:
    """The minute as written, without a zone; None if the calendar or the clock has none such."""
    a, b, c, hour, minute = (int(parts[name] or 0) for name in ("a", "b", "c", "hour", "minute"))
    if len(parts["a"] or "") == 4:
        year, month, day = a, b, c
    else:
        day, month, year = (a, b, c) if order == "dmy" else (b, a, c)
    half = (parts["half"] or "").casefold()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    year += 2000 if year < 100 else 0
    if year < _FIRST_YEAR:
        return None
    try:
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001
    except ValueError:
        return None


# -- lines ----------------------------------------------------------------------------------------


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str, str, str]]:
    """Lines without direction marks: number, text, its end, and the end of the line before.

    A line beyond measure comes in pieces; all but the last one have no end.
    """
    text = TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    total, number, before = 0, 0, "\r\n"
    while line := text.readline(MAX_MESSAGE):
        total += len(line)
        if total > MAX_TEXT:
            raise OversizedError
        number += 1
        plain = line if line.isascii() else _INVISIBLE.sub("", line)
        content = plain.rstrip("\r\n")
        ending = plain[len(content) :]
        yield number, content, ending, before
        before = ending


def _dialect(found: re.Match[str]) -> re.Pattern[str]:
    """What fits the lines that a phone wrote which wrote this one."""

    def literal(*names: str) -> str:
        return "".join(re.escape(found[name] or "") for name in names)

    def number(name: str) -> str:
        """Filled up with zeros, or not, or not to be told."""
        digits = found[name]
        padded, plain = "[0-9]{2}", "(?:[0-9]|[1-9][0-9])"
        if len(digits) > 2:
            shape = f"[0-9]{{{len(digits)}}}"
        elif digits[0] == "0" and len(digits) == 2:
            shape = padded
        else:
            shape = plain if len(digits) == 1 else "[0-9]{1,2}"
        return f"(?P<{name}>{shape})"

    year = "a" if len(found["a"]) == 4 else "c"
    written = {name: number(name) for name in ("a", "b", "c", "hour")}
    written[year] = f"(?P<{year}>[0-9]{{{len(found[year])}}})"
    half = "(?P<half>)"
    if found["half"]:
        letters = "AP" if found["half"].isupper() else "ap"
        half = literal("s5") + f"(?P<half>[{letters}])" + literal("m")
    seconds = f"{literal('s4')}[0-9]{{2}}" if found["s4"] else ""
    return re.compile(
        literal("open")
        + written["a"]
        + literal("s1")
        + written["b"]
        + literal("s2")
        + written["c"]
        + literal("gap")
        + written["hour"]
        + literal("s3")
        + "(?P<minute>[0-9]{2})"
        + seconds
        + half
        + literal("close")
        + "(?P<rest>.*)",
        re.DOTALL,
    )


# -- judging lines --------------------------------------------------------------------------------


def _minutes(at: datetime) -> int:
    return at.toordinal() * _DAY + at.hour * 60 + at.minute


def _judge(times: array[int], kinds: bytearray, places: array[int], latest: int) -> bytearray:
    """What each line is that fits the dialect.

    Args:
        times: its minute; `_IMPOSSIBLE` for a date that does not exist.
        kinds: `_SENT`, `_NOTICE`, `_NAMELESS`, or `_TYPED` into a message for sure.
        places: the character that it begins with, and where the text ends.
        latest: the latest minute that a message can have.
    """
    verdicts = bytearray(len(times))  # MESSAGE
    ordered = array("q")
    for at, (time, kind) in enumerate(zip(times, kinds, strict=True)):
        if kind == _TYPED:
            verdicts[at] = TEXT
        elif time > latest and at:
            verdicts[at] = LATE if kind == _SENT else TEXT
        elif kind == _NAMELESS and at:
            verdicts[at] = DOUBTFUL
        elif time != _IMPOSSIBLE:
            ordered.append(at)
    ordered_times = array("q", (times[at] for at in ordered))
    kept = _longest_chain(ordered_times)
    begins = array("q", (places[at] for at in ordered))
    begins.append(places[-1])
    _unkeep(kept, ordered_times, begins)
    for at, is_kept in zip(ordered, kept, strict=True):
        if not is_kept:  # a notice is no person's message
            verdicts[at] = DOUBTFUL if kinds[at] == _SENT else TEXT
    # Without a sender: text where the order says so, else perhaps a notice that is not known.
    last = _IMPOSSIBLE
    waiting: list[int] = []
    for at, time in enumerate(times):
        if verdicts[at] == MESSAGE and time != _IMPOSSIBLE:
            for each in waiting:
                if not last <= times[each] <= time:
                    verdicts[each] = TEXT
            last, waiting = time, []
        elif verdicts[at] == DOUBTFUL and kinds[at] == _NAMELESS:
            waiting.append(at)
    for each in waiting:
        if times[each] < last:
            verdicts[each] = TEXT
    return verdicts


def _forgive(
    verdicts: bytearray, times: array[int], kinds: bytearray, senders: array[int], *, is_told: bool
) -> bool:
    """Take lines for messages that are a little out of order; whether there are any.

    Args:
        verdicts: what each line is; changed.
        times: as for `_judge`.
        kinds: as for `_judge`.
        senders: a hash of each line's sender.
        is_told: whether line ends tell which lines begin a message.
    """
    slack = DISORDER // timedelta(minutes=1)
    known = {senders[at] for at, verdict in enumerate(verdicts) if verdict == MESSAGE}
    following = array("q", bytes(8 * len(times)))
    after = _MAX_MINUTE
    for at in range(len(times) - 1, -1, -1):
        following[at] = after
        if verdicts[at] == MESSAGE and times[at] != _IMPOSSIBLE:
            after = times[at]
    last, before, is_any = _IMPOSSIBLE, 0, False
    for at, time in enumerate(times):
        if verdicts[at] == DOUBTFUL and kinds[at] == _SENT and time != _IMPOSSIBLE:
            early, late = (last, time) if time < last else (time, min(following[at], time))
            is_near = early - late <= slack and early // _DAY == late // _DAY
            is_own = senders[at] in known if is_told else senders[at] == before
            if is_near and is_own and early != late:
                verdicts[at] = MESSAGE
                is_any = True
        if verdicts[at] == MESSAGE:
            last = max(last, time)
        if verdicts[at] != TEXT:
            before = senders[at] if verdicts[at] == MESSAGE else 0
    return is_any


def _unkeep(kept: bytearray, times: array[int], begins: array[int]) -> None:
    """Keep no lines that one message may hold, where they contradict several others.

    Who writes a message chooses how many lines of it look like messages.

    Args:
        kept: which lines are kept; changed.
        times: their minutes.
        begins: the character that each begins with, and where the text ends.
    """
    if all(kept):
        return
    chain = array("q", (at for at, is_kept in enumerate(kept) if is_kept))
    minutes = array("q", (times[at] for at in chain))
    slack = DISORDER // timedelta(minutes=1)
    opened = Counter[int]()
    at = 0
    for place in range(len(chain)):
        first = chain[place] + 1
        behind = chain[place + 1] if place + 1 < len(chain) else len(kept)
        if behind - first < 2:
            continue
        low, high = min(times[first:behind]), max(times[first:behind])
        for begin, end in (
            (bisect_right(minutes, low), place + 1),
            (place + 1, bisect_left(minutes, high)),
        ):
            if begin < end and abs(minutes[end - 1] - low) <= slack >= abs(high - minutes[begin]):
                continue
            begin = max(begin, 1)  # before the first line nobody could write
            if end - begin > 1 and begins[chain[end - 1] + 1] - begins[chain[begin]] <= _MAX_SENT:
                opened[begin] += 1
                opened[end] -= 1
    for place, line in enumerate(chain):
        at += opened[place]
        if at:
            kept[line] = False


def _longest_chain(times: array[int]) -> bytearray:
    """Which of these times are kept, so that they never decrease and as many as can be are.

    The first is kept always: before it nobody could write. Where the choice is free the earlier in
    the file is, unless it lies ahead by far: people tell of what was, and rarely of what will be.
    """
    kept = bytearray(b"\1") * len(times)
    if all(a <= b for a, b in pairwise(times)):
        return kept
    # Of each line: how many a chain has that begins with it. `heads` holds, negative so that it
    # ascends, the greatest beginning of a chain of 1, 2, 3 ... lines among those after it.
    lengths, heads = array("q", bytes(8 * len(times))), array("q")
    for at in range(len(times) - 1, -1, -1):
        place = bisect_right(heads, -times[at])
        if place == len(heads):
            heads.append(-times[at])
        else:
            heads[place] = -times[at]
        lengths[at] = place + 1
    levels: dict[int, array[int]] = {}
    for at, length in enumerate(lengths):
        kept[at] = at == 0
        if at and length < lengths[0]:
            levels.setdefault(length, array("q")).append(at)
    before = 0
    for length in range(lengths[0] - 1, 0, -1):
        last = times[before]
        # Along a level times decrease: the last one that fits is the nearest.
        choice = [at for at in levels[length] if at > before and times[at] >= last]
        near = times[choice[-1]] - last
        before = next(at for at in choice if times[at] - last <= 10 * near + _DAY)
        kept[before] = True
    return kept
