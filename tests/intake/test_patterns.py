"""Patterns and parsers take time in proportion to what they are given, whoever wrote that."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import pytest

from lumbung.intake import evidence
from lumbung.intake.channel.labels import distinct
from lumbung.intake.connectors.email import reader as email
from lumbung.intake.connectors.http_json import reader as http_json
from lumbung.intake.connectors.shared import chat_export, markup
from lumbung.intake.connectors.shared.delimited import Table
from lumbung.intake.connectors.shared.template import Template
from lumbung.intake.connectors.ushahidi import reader as ushahidi
from lumbung.intake.connectors.whatsapp import reader as whatsapp
from tests.support.channel_samples import CHAT, channel
from tests.support.growth import is_linear

INTAKE = Path(evidence.__file__).parent
FILES = [
    *sorted((INTAKE / "channel").glob("[!_]*.py")),
    *sorted((INTAKE / "connectors").rglob("[!_]*.py")),
    *sorted((INTAKE / "landing").glob("[!_]*.py")),
    *(INTAKE / f"{name}.py" for name in ("vault", "evidence", "run")),
]
SEARCHING = {"search", "sub", "split", "findall", "finditer"}


class Pattern(NamedTuple):
    """A pattern of the code, and whether it is looked for at every place of a text."""

    place: str
    pattern: re.Pattern[Any]
    is_searched: bool


def as_text(pattern: re.Pattern[Any]) -> re.Pattern[str]:
    """A pattern of bytes as one of their Latin-1 text."""
    if isinstance(pattern.pattern, str):
        return pattern
    return re.compile(pattern.pattern.decode("latin-1"), pattern.flags | re.ASCII)


def patterns(file: Path) -> Iterator[Pattern]:
    """Every pattern that a module holds: compiled at its top, or where it is used."""
    tree = ast.parse(file.read_text())
    parts = file.relative_to(INTAKE).with_suffix("").parts
    shown = ".".join(parts[-2:])
    module = importlib.import_module(".".join(["lumbung", "intake", *parts]))
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "re" and node.args:
                given = node.args[0]
                if node.func.attr != "compile" and isinstance(given, ast.Constant):
                    place = f"{shown}:{node.lineno}"
                    yield Pattern(
                        place, as_text(re.compile(given.value)), node.func.attr in SEARCHING
                    )
            elif isinstance(owner, ast.Name):
                used.setdefault(owner.id, set()).add(node.func.attr)
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            yield Pattern(
                f"{shown}.{name}", as_text(value), bool(used.get(name, set()) & SEARCHING)
            )


PATTERNS = [each for file in FILES for each in patterns(file)]
PATTERNS += [
    *(Pattern(f"evidence {kind}", as_text(pattern), False) for pattern, kind in evidence._SNIFFED),
    *(
        Pattern(
            f"dialect {line}",
            chat_export._dialect(chat_export._HEAD.fullmatch(line)),  # type: ignore[arg-type]
            False,
        )
        for line in ("06/11/24 19.33 - A: x", "[6/11/2024, 7:33:05 PM] A: x")
    ),
]


def sample(tree: Any) -> str:
    """A text that a part of a pattern fits, as short as can be but for what may be left out."""
    found = ""
    for code, value in tree:
        if code is codes.LITERAL:
            found += chr(value)
        elif code is codes.NOT_LITERAL:
            found += "a" if value != ord("a") else "b"
        elif code is codes.ANY:
            found += "a"
        elif code is codes.IN:
            found += member(value)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, most, inner = value
            found += sample(inner) * max(least, min(int(most), 1))
        elif code is codes.SUBPATTERN:
            found += sample(value[-1])
        elif code is codes.BRANCH:
            found += sample(value[1][0])
    return found


def member(choices: Any) -> str:
    """A character of a set."""
    compiled = [code for code, _ in choices]
    if codes.NEGATE in compiled:
        barred = {chr(value) for code, value in choices if code is codes.LITERAL}
        return next(each for each in "a b1.-=" if each not in barred)
    code, value = choices[0]
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.RANGE:
        return chr(value[0])
    return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}.get(str(value), "-")


def attacks(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """What stands before a repetition of a pattern, and what may be repeated there."""
    words = {f"{each} " for each in re.findall(r"\w{2,}", sample(tree))}
    words |= {" ", "a", "1", '"', "<", ";", "\n"}

    def walk(part: Any, before: str) -> Iterator[tuple[str, str]]:
        for code, value in part:
            if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                _, most, inner = value
                if most > 50:
                    yield before, sample(inner)
                    for word in sorted(words):
                        yield before, word
                    yield "", before + sample(inner)
                yield from walk(inner, before)
            elif code is codes.SUBPATTERN:
                yield from walk(value[-1], before)
            elif code is codes.BRANCH:
                for branch in value[1]:
                    yield from walk(branch, before)
            before += sample([(code, value)])

    yield from walk(tree, before)
    whole = sample(tree)
    yield "", whole
    yield "", whole[:-1]
    yield whole[:-1], whole[-1:]


def slow(each: Pattern) -> Iterator[tuple[str, str]]:
    """The attacks over which a pattern takes more time than it should."""
    act = each.pattern.search if each.is_searched else each.pattern.match
    for before, pump in sorted({*attacks(parser.parse(each.pattern.pattern, each.pattern.flags))}):

        def attack(size: int, before: str = before, pump: str = pump) -> str:
            return before + pump * (size // len(pump) + 1) + "\x01\n\x01"

        if pump and not is_linear(act, attack):
            yield before, pump


def test_every_pattern_is_found() -> None:
    places = {each.place for each in PATTERNS}
    assert {"shared.chat_export._HEAD", "email.reader._EARLIER", "vault._PHONE"} <= places
    assert "form_csv.reader._STAMP" in places
    assert len(PATTERNS) > 50


@pytest.mark.parametrize("each", PATTERNS, ids=lambda each: each.place)
def test_a_pattern_takes_linear_time(each: Pattern) -> None:
    assert list(slow(each)) == []


@pytest.mark.parametrize(
    ("pattern", "is_searched"),
    [
        (r"\s*<diedit>\s*$", True),  # what these tests are for: it took 211 s over 260 kB
        (r"<!--(?:.*?-->\s*)*<html", False),
        (r"(?:a+)+b", False),
        (r'rel="(?:[^"]*\s)?next(?:\s[^"]*)?"$', False),
    ],
)
def test_a_pattern_that_does_not_is_found_out(pattern: str, is_searched: bool) -> None:
    assert next(slow(Pattern("x", re.compile(pattern, re.DOTALL), is_searched)), None)


def header(text: str) -> str:
    message = Message()
    message._headers = [("Subject", text)]  # type: ignore[attr-defined]
    return email._header(message, "Subject")


TEMPLATE = Template(channel(CHAT), "ADUAN", ())


def all_distinct(labels: list[str]) -> list[str]:
    reached: dict[str, int] = {}
    return [distinct(each, (), reached) for each in labels]


@pytest.mark.parametrize(
    ("work", "make"),
    [
        (chat_export.edited, lambda n: " " * n + "x"),
        (chat_export.edited, lambda n: "<pesan ini " * (n // 11)),
        (chat_export.sender, lambda n: "a:" + "\n" * n + "x"),
        (chat_export.sender, lambda n: "a:" * n),
        (whatsapp._is_deleted, lambda n: " " * n + "x"),
        (lambda text: whatsapp._fields(TEMPLATE, "A", text), lambda n: "<" + " " * n + "x"),
        (lambda text: whatsapp._fields(TEMPLATE, "A", text), lambda n: "x." * (n // 2) + " ("),
        (
            lambda text: whatsapp._fields(TEMPLATE, "A", text),
            lambda n: "x.a (file terlampir)  " * (n // 22),
        ),
        (
            lambda text: TEMPLATE.read(text),
            lambda n: "ADUAN\n" + "".join(f"Nama pelapor: {i}\n" for i in range(n // 16)),
        ),
        (lambda text: TEMPLATE.read(text), lambda n: "ADUAN\n" + "Lokasi: x\n" * (n // 10)),
        (header, lambda n: " " * n + "x"),
        (header, lambda n: " \n" * (n // 2) + "x"),
        (markup.plain, lambda n: "<a " * (n // 3)),
        (markup.plain, lambda n: "<a " + "\"'" * (n // 2)),
        (markup.plain, lambda n: "<div>" * (n // 5)),
        (markup.plain, lambda n: "&#" + "9" * n + ";"),
        (http_json._next_link, lambda n: {"Link": "<" * n}),
        (http_json._next_link, lambda n: {"Link": "<a>;rel=" + "next " * (n // 5) + '"x'}),
        (lambda head: evidence._SNIFFED[-3][0].match(head), lambda n: b"<!---->" * 70 + b"x"),
        (all_distinct, lambda n: ["a"] * n),
        (
            ushahidi.labelled,
            lambda n: {
                "id": 1,
                "post_content": [{"fields": [{"label": "a", "value": "x"}] * (n // 8)}],
            },
        ),
    ],
)
def test_a_parser_takes_linear_time(work: Callable[[Any], Any], make: Callable[[int], Any]) -> None:
    assert is_linear(work, make)


def test_a_header_with_one_label_ten_thousand_times_is_read(tmp_path: Path) -> None:
    def make(columns: int) -> Path:
        path = tmp_path / f"{columns}.csv"
        path.write_text("Cap waktu" + ";a" * columns + "\n" + "1" + ";x" * columns + "\n")
        return path

    assert is_linear(lambda path: list(Table(path, {"cap waktu"}).rows()), make, most=16_000)


@pytest.mark.parametrize(
    "head",
    [
        b'From: a@b\nContent-Type: multipart/mixed; boundary="\\"' + b";" * 2_000_000,
        b"From: a@b\nSubject: " + b"=?utf-8?q?a?= " * 200_000,
        b"From: " + b"(" * 2_000_000,
        b"To: " + b"a@b, " * 400_000,
        b"A: b\n" * 100_000,
        b"Content-Type: multipart/mixed; boundary=a\n\n"
        + b"--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 300,
    ],
    ids=["parameters", "words", "comments", "addresses", "headers", "containers"],
)
def test_a_mail_of_endless_headers_is_read_or_refused(tmp_path: Path, head: bytes) -> None:
    """Each of them takes the standard library minutes to hours."""
    from datetime import UTC, datetime
    from io import BytesIO

    from upath import UPath

    from lumbung.intake.connectors.base import Source
    from lumbung.intake.connectors.email.config import EmailSource
    from tests.support.evidence import evidence_store
    from tests.support.growth import spent

    given = Source(
        *(channel(CHAT), UPath(tmp_path), None, evidence_store(tmp_path / "e")),
        lambda each: each[:16],
        {},
    )
    mail = email.Mail(datetime.now(UTC), given.evidence.keep(BytesIO(head + b"\n\nisi\n")))
    options = EmailSource(kind="email")
    template = Template(given.channel, None, ())
    found: list[Any] = []

    def read() -> None:
        found[:] = email.deliveries(given, options, template, mail, "x")

    assert spent(read) < 20
    assert len(found) == 1
