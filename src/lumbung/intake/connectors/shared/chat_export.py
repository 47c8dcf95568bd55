"""Finds the messages in the lines of a WhatsApp export.

An export does not mark where a message begins, and anybody can type a line into a message that
looks like the beginning of another one. Each such line is therefore judged by properties that its
author cannot choose:

- Format. A phone writes all lines of an export in the format of the first line. A line in another
  format is text of the message in which it stands.
- Line ends. An iPhone ends messages with CR LF, and lines within a message with LF alone.
- Order. Times never decrease, and none is before the first line or after now. If lines contradict
  each other, the largest set of lines that agree is kept, and the others are doubtful. Lines that
  may all be in one message do not outvote others: if they contradict several other lines, all of
  them are doubtful. Phones write messages a few minutes out of order (`DISORDER`). Such a line is
  kept only if nobody can use it to write in another person's name: in an iPhone's export if its
  line ends fit and its sender occurs elsewhere, in another export if it follows a message of its
  own sender.
- Sender. A line without a sender is a notice of the app if it reads like one and is a single line.

A doubtful line is yielded with the lines that follow it, but never as a message. The text before it
stays a message. `docs/reference/channels/whatsapp.md` lists what cannot be detected.
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

from lumbung.intake.parsers.characters import DIRECTIONS

MAX_TEXT = 256 << 20
"""Characters of an export."""
MAX_MESSAGE = 1 << 20
"""Characters of a message that are kept; WhatsApp allows 65,536."""

DISORDER = timedelta(minutes=5)
"""How many minutes a message may be out of order, within a day."""
_MAX_SENT = 65_536
"""The most characters of a message in WhatsApp."""

MESSAGE, TEXT, LATE, DOUBTFUL, STRAY = range(5)
"""Verdicts on a line: it begins a message or notice; it is text of the message before; it is dated
after now; it is doubtful; it is text before the first message."""

_SENT, _NOTICE, _NAMELESS, _TYPED = range(4)
_LINE_ENDS = ("\n", "\r\n")
_IMPOSSIBLE = -1
_DAY = 24 * 60
_FIRST_YEAR = 2009
"""That of WhatsApp's beginning."""
_MAX_MINUTE = 1 << 62

_INVISIBLE = re.compile(f"[{DIRECTIONS}\ufeff]")
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
"""Text before a colon that belongs to a quoted name in a notice, and is no sender."""
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
    """The text of an archive is longer than any chat."""


class Message(NamedTuple):
    """One message, or text that is not one.

    Attributes:
        number: of its first line, from 1.
        parts: date and time as written; empty for text before the first message.
        text: the text after them, with all lines up to the next beginning.
        verdict: `MESSAGE`, `LATE`, `DOUBTFUL` or `STRAY`.
    """

    number: int
    parts: dict[str, str | None]
    text: str
    verdict: int


@dataclass
class Outline:
    """The result of the first reading of an export.

    Attributes:
        dialect: matches the lines that may begin a message; None if it is no chat.
        first: the number of the first such line.
        verdicts: one for each such line, in their order.
        ends_at: the minute of the last message, as written.
        edited: minute and sender of messages that are marked as edited; it may hold others too.
        is_damaged: whether the export could not be read to its end.
        is_disordered: whether messages were kept that are out of order.
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
    """Read an export for the first time and judge its lines.

    Args:
        stream: its bytes.
        order: how dates are written: `dmy` or `mdy`.
        latest: the latest possible minute of a message, as written.
        failures: errors that a damaged archive raises: the outline and `messages` end there.
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
        outline.is_damaged = True  # reported by the second reading
    is_delimited = is_iphone and is_crlf
    if is_delimited:
        for place in range(1, len(kinds)):
            if _LINE_ENDS[befores[place]] == "\n":
                kinds[place] = _TYPED
    places.append(total)
    outline.verdicts = _judge(times, kinds, places, _minutes(latest))
    outline.is_disordered = _forgive(
        outline.verdicts, times, kinds, senders, is_delimited=is_delimited
    )
    taken = (t for t, v in zip(times, outline.verdicts, strict=True) if v == MESSAGE)
    if (last := max(taken, default=_IMPOSSIBLE)) != _IMPOSSIBLE:
        outline.ends_at = datetime.fromordinal(last // _DAY) + timedelta(minutes=last % _DAY)
    return outline


def messages(stream: BinaryIO, outline: Outline) -> Iterator[Message]:
    """Read an export for the second time: its messages and doubtful texts, in their order."""
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
    """Sender and text of a line after its date; None for a notice of the app."""
    found = _SENDER.fullmatch(whole)
    if found is None or _NOTICES.match(whole) or _NOTICES.match(found["text"] or ""):
        return None
    if _GROUP.search(found["sender"]):
        return None
    return found["sender"].removeprefix("~").strip(), found["text"] or ""


def is_notice(whole: str) -> bool:
    """Whether a text without a sender is a notice of the app: one line about a known event."""
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
    """The minute as written, without a zone; None for an impossible date or time."""
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
    """Lines without direction marks: number, text, line end, and the line end before.

    A very long line comes in pieces, of which only the last one has an end.
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
    """A pattern of the lines that the phone writes which wrote this one."""

    def literal(*names: str) -> str:
        return "".join(re.escape(found[name] or "") for name in names)

    def number(name: str) -> str:
        """A pattern of numbers: with leading zero, without, or either if this one does not show."""
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
    """The verdict on each line that fits the dialect.

    Args:
        times: the minute of each line; `_IMPOSSIBLE` for a date that does not exist.
        kinds: `_SENT`, `_NOTICE`, `_NAMELESS`, or `_TYPED` (certainly typed into a message).
        places: the position of each line's first character, and the end of the text.
        latest: the latest possible minute of a message.
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
        if not is_kept:  # a notice is not a message of a person
            verdicts[at] = DOUBTFUL if kinds[at] == _SENT else TEXT
    # without a sender: text if the order shows it, else perhaps an unknown kind of notice
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
    verdicts: bytearray,
    times: array[int],
    kinds: bytearray,
    senders: array[int],
    *,
    is_delimited: bool,
) -> bool:
    """Accept lines that are a little out of order as messages; returns whether there are any.

    Args:
        verdicts: of each line; changed.
        times: as for `_judge`.
        kinds: as for `_judge`.
        senders: a hash of each line's sender.
        is_delimited: whether line ends show which lines begin a message.
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
            is_own = senders[at] in known if is_delimited else senders[at] == before
            if is_near and is_own and early != late:
                verdicts[at] = MESSAGE
                is_any = True
        if verdicts[at] == MESSAGE:
            last = max(last, time)
        if verdicts[at] != TEXT:
            before = senders[at] if verdicts[at] == MESSAGE else 0
    return is_any


def _unkeep(kept: bytearray, times: array[int], begins: array[int]) -> None:
    """Drop lines that may all be in one message, if they contradict several other lines.

    The author of a message chooses how many of its lines look like messages.

    Args:
        kept: which lines are kept; changed.
        times: their minutes.
        begins: the position of each line's first character, and the end of the text.
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
            begin = max(begin, 1)  # nobody can write before the first line
            if end - begin > 1 and begins[chain[end - 1] + 1] - begins[chain[begin]] <= _MAX_SENT:
                opened[begin] += 1
                opened[end] -= 1
    for place, line in enumerate(chain):
        at += opened[place]
        if at:
            kept[line] = False


def _longest_chain(times: array[int]) -> bytearray:
    """Which of these times are kept: the largest set of times that never decrease.

    The first time is always kept, because nobody can write before it. Of several largest sets, the
    one with earlier lines is taken, unless a line lies far ahead: people often write about the past
    and rarely about the future.
    """
    kept = bytearray(b"\1") * len(times)
    if all(a <= b for a, b in pairwise(times)):
        return kept
    # `lengths`: of each line, the length of the longest chain that begins with it. `heads`: the
    # greatest first time of a chain of 1, 2, 3 ... lines, negated so that it ascends.
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
        # times decrease along a level, so the last time that fits is the nearest
        choice = [at for at in levels[length] if at > before and times[at] >= last]
        near = times[choice[-1]] - last
        before = next(at for at in choice if times[at] - last <= 10 * near + _DAY)
        kept[before] = True
    return kept
