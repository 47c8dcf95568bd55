"""What a channel file says, checked.

A channel is one file `channels/<name>.yaml`; its name is the file's. This module turns the files
into `Channel` models, tells every mistake of all files in one run, and writes what dbt compiles
its staging model from (`reference.channel`, `reference.channel_field`).

YAML is read as in YAML 1.2: `No`, `Ya` and `6-11-2024` are texts (a column called `No` is common).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import psycopg
import yaml
from croniter import croniter  # type: ignore[import-untyped]
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
)

from lumbung.errors import ConfigurationError

CANONICAL: dict[str, str] = {
    "register_number": "text",
    "record_kind": "text",
    "received_date": "date",
    "known_date": "date",
    "occurred_date": "date",
    "activity_date": "date",
    "period_date": "date",
    "regency": "place",
    "district": "place",
    "village": "place",
    "regency_code": "code",
    "district_code": "code",
    "village_code": "code",
    "issue": "list",
    "violation_type": "list",
    "accused_role": "text",
    "suspicion": "text",
    "status": "text",
    "status_reason": "text",
    "forwarded_to": "text",
    "follow_up": "text",
    "during_campaign_event": "text",
    "election": "text",
    "method": "text",
    "prevention_type": "text",
    "activity_kind": "text",
    "narrative": "text",
}
"""Canonical field -> its parser (docs/reference/canonical-fields.md)."""

SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv")
"""Suffixes of what a mail may bring to a register."""

_MAX_NODES = 20_000  # of a channel file; aliases that multiply one another have more
_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}

_Place = tuple[str | int, ...]


def normalise(label: str) -> str:
    """The form in which labels are compared: case and the amount of white space do not matter."""
    return " ".join(label.split()).casefold()


def distinct(label: str, taken: Container[str], reached: dict[str, int] | None = None) -> str:
    """A label that is not taken: itself, or `Label (2)`, `Label (3)` ...

    Args:
        label: the label.
        taken: those that cannot be given any more.
        reached: how far each label was counted. A source may repeat one label without end, and
            counting from 2 each time would take quadratic time.
    """
    reached = {} if reached is None else reached
    name, ordinal = label, reached.get(label, 1)
    while name in taken:
        ordinal += 1
        name = f"{label} ({ordinal})"
    reached[label] = ordinal
    return name


def _labels(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d{1,4}) (minute|hour|day|week)s?", str(value))
    if match is None:
        raise ValueError("write it as '6 hours', '1 day' or '1 week'")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _cron(value: str) -> str:
    """A schedule of five fields that Airflow's cron timetable accepts: it uses the same library."""
    cure = "write five cron fields, e.g. '0 5 * * *' for every day at 05:00"
    if len(value.split()) != 5:
        raise ValueError(cure)
    try:
        croniter(value).get_next()
        croniter(value).get_prev()  # Airflow asks for the last occurrence, too
    except ValueError as error:
        raise ValueError(f"{error}; {cure}") from None
    return value


def _line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it holds a line break or a character that cannot be shown; retype it")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("write a zone of the IANA list, e.g. 'Asia/Jakarta'") from None
    return value


def _canonical(value: str) -> str:
    if value not in CANONICAL:
        raise ValueError("it is not a canonical field; use one of " + ", ".join(CANONICAL))
    return value


Label = Annotated[str, Field(min_length=1)]
Labels = Annotated[
    tuple[Label, ...],
    BeforeValidator(_labels, json_schema_input_type=Label | tuple[Label, ...]),
]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
"""Text that Airflow and the warehouse show: one line, with nothing in it that they cannot store."""
Duration = Annotated[timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
FieldName = Annotated[
    str, AfterValidator(_canonical), WithJsonSchema({"type": "string", "enum": list(CANONICAL)})
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Owner(_Model):
    """The office that answers for a channel's data and is told of its quarantine."""

    name: Line
    email: Annotated[Line, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class _Source(_Model):
    """A connector's own options.

    Attributes:
        has_receipt_time: whether each delivery says when the channel received it. Where it does
            not, `received_at` is the time of the file or of the pull, and decides no day.
    """

    has_receipt_time: ClassVar[bool] = True


class RegisterSource(_Source):
    """Spreadsheets or CSV files in a folder.

    Attributes:
        files: which files of the folder (a glob such as `*.xlsx`).
        sheets: which sheets (globs); every other one is not read.
        skip_sheets: sheets that hold no register, e.g. instructions (globs).
        hidden_sheets: whether hidden sheets are read too.
        sheet_in_key: whether the sheet's name is a part of the key, where rows are numbered anew
            in each sheet.
    """

    has_receipt_time: ClassVar[bool] = False
    kind: Literal["register"]
    files: str = "*"
    sheets: Labels = ("*",)
    skip_sheets: Labels = ()
    hidden_sheets: bool = False
    sheet_in_key: bool = False


class WhatsappSource(_Source):
    """Exports of one chat (zip or txt) in a folder.

    Attributes:
        files: which files of the folder.
        marker: the first line of a message that follows the pinned template, e.g. `ADUAN`.
        date_order: how the exporting phone writes dates: day first (Indonesia) or month first.
    """

    kind: Literal["whatsapp"]
    files: str = "*"
    marker: str | None = None
    date_order: Literal["dmy", "mdy"] = "dmy"


class KoboSource(_Source):
    """A form on a KoboToolbox server.

    Attributes:
        asset: the form's uid, as in its address on the server.
        full_every: how often the whole form is read, which shows edits and deletions; the pulls in
            between read what is new. Every pull reads all, if it is left out.
    """

    kind: Literal["kobo"]
    asset: str = Field(pattern=r"^[A-Za-z0-9]+$")
    full_every: Duration | None = None


def _parameters(value: object) -> object:
    """Query parameters as they are sent: `page: 1` and `all: true` are texts there."""
    if not isinstance(value, dict):
        return value
    return {
        name: str(each).lower() if isinstance(each, bool | int) else each
        for name, each in value.items()
    }


def _moment_field(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


def _moment_format(value: str) -> str:
    if value not in ("iso", "unix", "unix_ms") and "%" not in value:
        raise ValueError("write iso, unix, unix_ms or a pattern such as '%d-%m-%Y %H:%M:%S'")
    return value


Zone = Annotated[str, AfterValidator(_zone)]


class Moment(_Model):
    """Where a record of an API tells a time.

    Attributes:
        field: its path in the record, dots between the levels.
        format: how it is written: `iso`, `unix` (seconds), `unix_ms` or a strptime pattern; what
            does not follow a pattern is read as ISO 8601, RFC 5322 or Unix time.
        timezone: the zone of times written without one; the channel's, if left out.
    """

    field: Label
    format: Annotated[str, AfterValidator(_moment_format)] = "iso"
    timezone: Zone | None = None


class Since(Moment):
    """How an API is asked for what changed.

    Attributes:
        field: the path of the time of the last change: its greatest value is where the next pull
            begins.
        format: how the parameter is written (and the field, where it follows it).
        parameter: the query parameter that takes it.
        overlap: how much earlier than that the next pull begins.
    """

    parameter: Label
    overlap: Duration = timedelta(hours=1)


class ApiAuth(_Model):
    """Where an API takes its credential, which is the connection's.

    Attributes:
        style: `none`, `bearer` (password), `basic` (login and password), `header` or `query`.
        name: the header or query parameter that takes the password.
        prefix: what stands before it in the header, e.g. `Token`.
    """

    style: Literal["none", "bearer", "basic", "header", "query"] = "none"
    name: Label | None = None
    prefix: str | None = None


class Paging(_Model):
    """How an API gives a listing page by page.

    Attributes:
        style: `none` (one page), `next` (a link in the body), `link_header`, `page` (a number),
            `offset` or `cursor` (a token in the body for the next request's parameter).
        next: the path in the body of the link (`next`) or the token (`cursor`).
        parameter: the query parameter that takes the page, offset or token.
        first: the number of the first page.
        size_parameter, size: how many records are asked for at once.
        total: the path in the body of the number of records, or `header:Name`. With it a listing
            that shifted between two pages is noticed, and what is gone can be withdrawn.
        ignore: paths in the body, or `header:Name`, that look as if they told of further pages and
            do not: a `total` of something else, a `more` that links to help.
    """

    style: Literal["none", "next", "link_header", "page", "offset", "cursor"]
    next: Label | None = None
    parameter: Label | None = None
    first: int = Field(default=1, ge=0)
    size_parameter: Label | None = None
    size: int | None = Field(default=None, ge=1)
    total: Label | None = None
    ignore: tuple[Label, ...] = ()


class HttpJsonSource(_Source):
    """A JSON API that gives lists of records.

    Attributes:
        path: the listing's path below the connection's address.
        records: the path of the list in the body; empty where the body is the list.
        id: the path in a record of what stays the same when it is edited.
        received: when the source received it.
        params: query parameters sent with every listing.
        auth, paging, since: as told there; without `since` every pull reads all.
        withdrawn: the path of a field that is filled (or true) in a withdrawn record.
        full_every: how often all is read although `since` is set, to find what is gone.
        join: what a list of plain values is joined with to one text.
    """

    kind: Literal["http_json"]
    path: str
    records: str = ""
    id: Label
    received: Annotated[Moment, BeforeValidator(_moment_field, json_schema_input_type=str | Moment)]
    params: Annotated[
        dict[str, str],
        BeforeValidator(_parameters, json_schema_input_type=dict[str, str | int | bool]),
    ] = Field(default_factory=dict)
    auth: ApiAuth = ApiAuth()
    paging: Paging = Paging(style="none")
    since: Since | None = None
    withdrawn: Label | None = None
    full_every: Duration = timedelta(days=7)
    join: str = Field(default=";", min_length=1)


class WhatsappCloudSource(_Source):
    """Webhook requests of the WhatsApp Cloud API, archived in a folder.

    Attributes:
        files: which files of the folder.
        marker: the first line of a message that follows the pinned template, e.g. `ADUAN`.
    """

    kind: Literal["whatsapp_cloud"]
    files: str = "*"
    marker: str | None = None


class EmailSource(_Source):
    """Folders of a mailbox, read over IMAP.

    Attributes:
        folders: the mailbox's folders, as a mail program names them.
        marker: the first line of a mail that follows the pinned template, e.g. `ADUAN`.
        spreadsheets_to: the register channel into whose inbox attached spreadsheets go.
        spreadsheets_from: whose spreadsheets these are: addresses, or `@host` for everybody there.
    """

    kind: Literal["email"]
    folders: Labels = Field(default=("INBOX",), min_length=1)
    marker: str | None = None
    spreadsheets_to: str | None = None
    spreadsheets_from: Labels = ()
    _taken: str = PrivateAttr("*")

    @property
    def taken(self) -> str:
        """Which files the register channel takes (a glob)."""
        return self._taken

    def feed(self, register: RegisterSource) -> str | None:
        """Learn what the register channel takes; returns what speaks against feeding it."""
        self._taken = register.files
        name = Path(re.sub(r"\[(.)[^\[\]]*\]", r"\1", register.files)).stem
        name = name.replace("*", "x").replace("?", "x")
        if not any(self.takes(f"{name}{suffix}") for suffix in SPREADSHEETS):
            return f"takes only {register.files!r}, which no spreadsheet is; widen its source.files"
        return None

    def takes(self, name: str) -> bool:
        """Whether the register channel reads a file of this name."""
        return fnmatch(name.casefold(), self._taken.casefold())


class FormASource(_Source):
    """Formulir Model A (laporan hasil pengawasan) as docx files in a folder.

    Attributes:
        files: which files of the folder.
    """

    has_receipt_time: ClassVar[bool] = False
    kind: Literal["form_a"]
    files: str = "*"


class SigaplaporSource(_Source):
    """SigapLapor's public lists, from its site or as saved pages and exports in a folder.

    Attributes:
        path: the list's address below the connection's host; none for the folder.
        files: which files of the folder.
        number: the label of the register number.
    """

    has_receipt_time: ClassVar[bool] = False
    kind: Literal["sigaplapor"]
    path: str | None = None
    files: str = "*"
    number: Label = "No Laporan/Temuan"


class FormCsvSource(_Source):
    """The responses of one form of Google Forms, as CSV: files in a folder, or a link.

    Attributes:
        files: which files of the folder; each is an export of the whole form.
        path: what follows the connection's address, where the CSV is read from a link.
        timestamp: the column with the time of the response.
        id: columns that name a response for good, also when it is edited (a number of an add-on, or
            the address where a form takes one response from each).
        date_order: how times without a year in front are written: day or month first.
    """

    kind: Literal["form_csv"]
    files: str = "*"
    path: str = ""
    timestamp: Labels = ("Cap waktu", "Stempel waktu", "Timestamp")
    id: Labels = ()
    date_order: Literal["dmy", "mdy"] = "dmy"


class OdkSource(_Source):
    """A form on an ODK Central server.

    Attributes:
        project: the project's number, as in its address.
        form: the form's id (`xmlFormId`).
        overlap: how much earlier than the last pull the next one begins.
    """

    kind: Literal["odk"]
    project: int = Field(ge=1)
    form: Label
    overlap: Duration = timedelta(hours=1)


class UshahidiSource(_Source):
    """The posts of an Ushahidi deployment: its v5 API, or (without a connection) its CSV export.

    Attributes:
        form: the survey's number; every survey and unstructured post, if left out (API only).
        overlap: how much earlier than the last pull the next one begins (API only).
        files: which files of the folder; each is an export of the same surveys.
    """

    kind: Literal["ushahidi"]
    form: int | None = Field(default=None, ge=1)
    overlap: Duration = timedelta(hours=1)
    files: str = "*"


class FieldMap(_Model):
    """Where a canonical field is found.

    Attributes:
        labels: the source's labels (`from` in the file), the preferred first.
        parser: how its values are read; may be left out, and must be the field's own.
        scheme: the code system, for codes only.
        separator: what separates several values, for lists only.
        required: whether a delivery without it is quarantined.
    """

    labels: Labels = Field(alias="from", min_length=1)
    parser: str | None = None
    scheme: Literal["kemendagri", "bps", "bawaslu"] | None = None
    separator: str | None = Field(default=None, min_length=1)
    required: bool = False


class Channel(_Model):
    """One intake channel.

    Attributes:
        name: the channel's name, that of its file.
        title: what people call it.
        owner: who answers for it.
        connection: the id of the Airflow Connection with address and credential; none for the
            folder `LUMBUNG_HOME/inbox/<name>`.
        schedule: when it is pulled, as cron, in `timezone`.
        timezone: the zone of times that the source writes without one.
        expected_every: how often something new should come.
        record_kind: LP, TM, IA, LHP or PREV; none where a mapped field tells it.
        source: the connector's own options.
        key: labels whose values make a register row's source id.
        personal: labels of personal fields: they go to the vault.
        subject: personal labels that tell who a reporter is; the first one filled makes the token.
        kept: labels that are known, not personal and mapped to no canonical field.
        fields: the field map.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    title: Line
    owner: Owner
    connection: str | None = None
    schedule: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Jakarta"
    expected_every: Duration | None = None
    record_kind: Literal["LP", "TM", "IA", "LHP", "PREV"] | None = None
    source: Annotated[
        RegisterSource
        | WhatsappSource
        | KoboSource
        | HttpJsonSource
        | FormCsvSource
        | OdkSource
        | UshahidiSource
        | WhatsappCloudSource
        | EmailSource
        | FormASource
        | SigaplaporSource,
        Field(discriminator="kind"),
    ]
    key: Labels = ()
    personal: Labels = ()
    subject: Labels = ()
    kept: Labels = ()
    fields: dict[FieldName, FieldMap] = Field(min_length=1)

    @property
    def kind(self) -> str:
        """The connector, a module of `lumbung.intake.connectors`."""
        return self.source.kind

    @property
    def public(self) -> dict[str, str]:
        """Normalised label -> the file's spelling, of what goes to `raw.record.payload`."""
        labels = [label for field in self.fields.values() for label in field.labels]
        return {normalise(label): label for label in (*labels, *self.key, *self.kept)}

    @property
    def private(self) -> dict[str, str]:
        """Normalised label -> the file's spelling, of the personal fields."""
        return {normalise(label): label for label in self.personal}

    @property
    def technical(self) -> frozenset[str]:
        """Labels (normalised) that the connector's options name: known, and kept in the vault."""
        source = self.source
        labels: tuple[str | None, ...] = ()
        if isinstance(source, HttpJsonSource):
            since = source.since.field if source.since else None
            labels = (source.id, source.received.field, since, source.withdrawn)
        elif isinstance(source, FormCsvSource):
            labels = (*source.timestamp, *source.id)
        return frozenset(normalise(label) for label in labels if label)


def load_channels(folder: Path) -> dict[str, Channel]:
    """Read every channel file of a folder.

    Returns:
        channel name -> channel, in the order of names.

    Raises:
        ConfigurationError: with every mistake of every file: file, line, field and cure.
    """
    channels, mistakes = read_channels(folder)
    if mistakes:
        raise _mistaken([each for found in mistakes.values() for each in found], folder)
    return channels


def load_channel(folder: Path, name: str) -> Channel:
    """One channel of a folder, whatever is wrong with other files.

    Raises:
        ConfigurationError: with every mistake of its file, or that there is no such channel.
    """
    channels, mistakes = read_channels(folder)
    if name in mistakes:
        raise _mistaken(mistakes[name], folder)
    if name not in channels:
        raise ConfigurationError(
            f"there is no channel {name!r}",
            where=str(folder),
            cure=f"use one of {', '.join(channels) or 'the channels you add'}",
        )
    return channels[name]


def read_channels(folder: Path) -> tuple[dict[str, Channel], dict[str, list[str]]]:
    """The channels whose files are right, and the mistakes of the other files, both by name."""
    channels: dict[str, Channel] = {}
    mistakes: dict[str, list[str]] = {}
    lines: dict[str, dict[_Place, int]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.suffix == ".yml":
            told = f"{file.name}:1: a channel file ends in .yaml; rename it"
            mistakes.setdefault(file.stem, []).append(told)
        if file.suffix != ".yaml":
            continue
        channel, found = _read(file, lines.setdefault(file.stem, {}))
        if found:
            mistakes.setdefault(file.stem, []).extend(found)
        if channel is not None:
            channels[channel.name] = channel
    for channel in channels.values():
        if text := _misfed(channel, channels, mistakes):
            line = lines[channel.name].get(("source", "spreadsheets_to"), 1)
            told = f"{channel.name}.yaml:{line}: source.spreadsheets_to: {text}"
            mistakes.setdefault(channel.name, []).append(told)
    return {name: each for name, each in channels.items() if name not in mistakes}, mistakes


def stopped(mistakes: Mapping[str, list[str]]) -> list[str]:
    """One line of warning for each channel that stands still until its file is corrected.

    Args:
        mistakes: what `read_channels` gave.
    """
    return [
        f"channel {name} is not pulled, and what it landed is read as before, until its file is"
        f" corrected: {'; '.join(told)}"
        for name, told in mistakes.items()
    ]


def without_file(absent: Iterable[str]) -> list[str]:
    """One line of warning for each channel whose file is missing.

    Args:
        absent: what `sync` gave.
    """
    return [
        f"channel {name} has no file: it is not pulled, and what it landed is read as before; put"
        f" channels/{name}.yaml back"
        for name in absent
    ]


def _mistaken(problems: list[str], folder: Path) -> ConfigurationError:
    number = f"{len(problems)} mistake{'s' if len(problems) > 1 else ''}"
    return ConfigurationError(
        f"{number} in the channel files:\n  " + "\n  ".join(problems) + "\n",
        where=str(folder),
        cure="correct the lines named above and run the same command again",
    )


def schema() -> str:
    """JSON Schema of a channel file, for editors (`channels/channel.schema.json`)."""
    found = Channel.model_json_schema(by_alias=True)
    del found["properties"]["name"]  # the file's name is the channel's
    found["required"].remove("name")
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["description"] = "One intake channel of Lumbung: docs/how-to/add-a-channel.md."
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def sync(
    connection: psycopg.Connection,
    channels: Mapping[str, Channel],
    mistaken: Collection[str] = (),
) -> list[str]:
    """Make `reference.channel` and `reference.channel_field` say what the channel files say.

    A channel without a file is taken out if it has landed nothing; else it stays as it was last, so
    that a file that is lost takes no record out of the facts.

    Args:
        connection: any state; the change is a transaction (or a savepoint) of its own.
        channels: those of the files that are right (`read_channels`).
        mistaken: channels whose files have mistakes: they stay as they were last, so that a slip
            in a file takes no record out of the facts.

    Returns:
        the channels that have landed records and have no file.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "select distinct channel from raw.batch where landed_count > 0 and channel <> all(%s)"
            " order by channel",
            ([*channels, *mistaken],),
        )
        absent = [str(channel) for (channel,) in cursor]
        cursor.execute(
            "delete from reference.channel where channel <> all(%s)", ([*mistaken, *absent],)
        )
        cursor.executemany(
            "insert into reference.channel (channel, kind, title, owner_name, owner_email,"
            " record_kind, timezone, expected_every, has_receipt_time)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(c.name, c.kind, c.title, c.owner.name, c.owner.email),
                    *(c.record_kind, c.timezone, c.expected_every, c.source.has_receipt_time),
                )
                for c in channels.values()
            ],
        )
        cursor.executemany(
            "insert into reference.channel_field (channel, field, position, source_label, parser,"
            " scheme, separator, is_required) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    channel.name,
                    name,
                    position,
                    label,
                    CANONICAL[name],
                    field.scheme,
                    field.separator,
                    field.required,
                )
                for channel in channels.values()
                for name, field in channel.fields.items()
                for position, label in enumerate(field.labels, 1)
            ],
        )
    return absent


# -- reading one file, with the line of everything -----------------------------------------------


class _Loader(yaml.SafeLoader):
    """Only `true`, `false`, whole numbers and `null` are not texts."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9]\d{0,17})", "-0123456789"),
    ("null", r"null|~|", "n~"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), [*_first]
    )
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])


def _misfed(
    channel: Channel, channels: Mapping[str, Channel], mistaken: Collection[str]
) -> str | None:
    """What speaks against the register channel that a mailbox's spreadsheets go to."""
    source = channel.source
    if not isinstance(source, EmailSource) or not source.spreadsheets_to:
        return None
    name = source.spreadsheets_to
    target = channels.get(name)
    if target is None and name in mistaken:
        return f"{name!r} has mistakes of its own; correct {name}.yaml"
    if target is None or not isinstance(target.source, RegisterSource):
        return f"{name!r} is no register channel; write the name of one that can be read"
    if target.connection is not None:
        return (
            f"{name!r} reads the folder of its connection, not its inbox; remove its connection,"
            " or name a channel without one"
        )
    wrong = source.feed(target.source)
    return wrong and f"{name!r} {wrong}"


def _read(file: Path, lines: dict[_Place, int]) -> tuple[Channel | None, list[str]]:
    """One file's channel, or its mistakes; `lines` takes where everything stands."""
    problems: list[tuple[int, str]] = []

    def told() -> list[str]:
        return [f"{file.name}:{line}: {text}" for line, text in sorted(problems)]

    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        if not isinstance(node, yaml.MappingNode):
            return None, [f"{file.name}:1: not a channel; begin with 'title: ...'"]
        document = _plain(node, (), lines, problems)
    except OSError as error:
        return None, [f"{file.name}:1: cannot be read: {error.strerror}; make it a readable file"]
    except UnicodeDecodeError:
        return None, [f"{file.name}:1: the file is not UTF-8; save it as UTF-8"]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [f"{file.name}:{line}: not YAML: {error.problem}; correct the indentation"]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [f"{file.name}:{line}: not YAML: a control character; delete it"]
    except RecursionError:
        return None, [f"{file.name}:1: it holds itself (&, *) or nests without end; write it out"]
    if "name" in document:
        problems.append((lines["name",], "name: the file's name is the channel's; remove the line"))
    try:
        channel = Channel.model_validate({**document, "name": file.stem})
    except ValidationError as error:
        for each in error.errors():
            path, shown = _locate(each["loc"], lines)
            problems.append((lines.get(path, 1), f"{shown}: {_explain(each)}"))
        return None, told()
    for path, text in _contradictions(channel):
        nearest, shown = _locate(path, lines)
        problems.append((lines.get(nearest, 1), f"{shown}: {text}"))
    return (None, told()) if problems else (channel, [])


def _plain(
    node: yaml.Node, path: _Place, lines: dict[_Place, int], problems: list[tuple[int, str]]
) -> Any:
    if len(lines) > _MAX_NODES:
        raise RecursionError
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                problems.append((line, "a name in braces or brackets; put quotes around the value"))
                continue
            if key.value in result:
                problems.append((line, f"{key.value}: written twice; remove one"))
            lines[(*path, key.value)] = line
            result[key.value] = _plain(value, (*path, key.value), lines, problems)
        return result
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
        return [
            _plain(item, (*path, index), lines, problems) for index, item in enumerate(node.value)
        ]
    kind = node.tag.rpartition(":")[2]
    if kind == "bool":
        return node.value == "true"
    if kind == "int":
        return int(node.value)
    return None if kind == "null" else node.value


def _locate(loc: _Place, lines: Mapping[_Place, int]) -> tuple[_Place, str]:
    """The nearest place in the file, and the field's name as a person would say it."""
    path: _Place = ()
    for part in loc:
        if (*path, part) in lines:
            path = (*path, part)
    missing = () if path and loc[-1] == path[-1] else loc[-1:]
    return path, ".".join(str(part) for part in (*path, *missing))


def _explain(error: Any) -> str:
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return "is not known here; correct its spelling or remove it"
        case "union_tag_invalid" | "union_tag_not_found":
            return (
                "kind is missing or unknown; write 'kind: register' or another kind of"
                " docs/reference/channels"
            )
        case "literal_error":
            return f"{error['input']!r} is not known; use {error['ctx']['expected']}"
        case "value_error":
            return f"{error['input']!r} cannot be used; {error['ctx']['error']}"
    return f"{error['msg']}; correct the value"


def _contradictions(channel: Channel) -> Iterator[tuple[_Place, str]]:
    """What is well-formed and yet cannot be meant."""
    spelled: dict[str, str] = {}
    places: list[tuple[_Place, str]] = [
        (("fields", name, "from"), label)
        for name, field in channel.fields.items()
        for label in field.labels
    ]
    for part in ("key", "kept", "personal", "subject"):
        places += [((part,), label) for label in getattr(channel, part)]
    for path, label in places:
        known = spelled.setdefault(normalise(label), label)
        if known != label:
            yield path, f"{label!r} is spelled {known!r} above; spell a label in one way"
    private = channel.private
    for path, label in places:
        if path[0] not in ("personal", "subject") and normalise(label) in private:
            cure = "take it from one of the two lists"
            yield path, f"{label!r} is personal and would be stored in the clear; {cure}"
    for label in channel.subject:
        if normalise(label) not in private:
            yield ("subject",), f"{label!r} is not personal; add it to 'personal'"
    for name, field in channel.fields.items():
        kind = CANONICAL[name]
        if field.parser not in (None, kind):
            yield ("fields", name, "parser"), f"{field.parser!r} does not fit; write {kind!r}"
        if field.scheme and kind != "code":
            yield ("fields", name, "scheme"), "only a code has a scheme; remove it"
        if field.separator and kind != "list":
            yield ("fields", name, "separator"), "only a list has a separator; remove it"
        if kind == "list" and not field.separator:
            yield ("fields", name), "is a list; add its separator, e.g. separator: ';'"
        if len({normalise(label) for label in field.labels}) < len(field.labels):
            yield ("fields", name, "from"), "names a label twice; remove one"
    if channel.kind == "register" and not channel.key:
        yield ("key",), "is missing: a register row needs labels that make its key; add them"
    if channel.kind != "register" and channel.key:
        yield ("key",), f"a {channel.kind} channel makes its own source ids; remove it"
    yield from _server(channel)
    if isinstance(channel.source, HttpJsonSource):
        yield from _http_json(channel.source)
    if channel.kind in ("kobo", "http_json", "odk") and channel.connection is None:
        yield ("connection",), "is missing: the server's address and token; name a connection"


def _http_json(source: HttpJsonSource) -> Iterator[tuple[_Place, str]]:
    """What does not go together in the description of an API."""
    paging, auth = source.paging, source.auth
    if paging.style in ("next", "cursor") and paging.next is None:
        yield ("source", "paging"), "has no path of the link or token; add next: links.next"
    if paging.style in ("page", "offset", "cursor") and paging.parameter is None:
        yield ("source", "paging"), f"has no parameter; add parameter: {paging.style}"
    if (paging.size is None) != (paging.size_parameter is None):
        yield ("source", "paging"), "needs size and size_parameter together; add the other one"
    if auth.style in ("header", "query") and auth.name is None:
        yield ("source", "auth"), f"does not say which {auth.style} takes the password; add name"


def _server(channel: Channel) -> Iterator[tuple[_Place, str]]:
    """What a kind cannot do without a connection, and whom a mailbox may trust."""
    source = channel.source
    needs = {
        "email": "the mail server's address, login and password",
        "whatsapp_cloud": "the app secret that requests are signed with",
    }
    if isinstance(source, SigaplaporSource) and source.path is not None:
        needs["sigaplapor"] = "the site's address"
    if channel.kind in needs and channel.connection is None:
        yield ("connection",), f"is missing: {needs[channel.kind]}; name a connection"
    if isinstance(source, EmailSource) and source.spreadsheets_to and not source.spreadsheets_from:
        cure = "add spreadsheets_from, or anybody's mail feeds the register"
        yield ("source", "spreadsheets_to"), f"whose spreadsheets it takes is not said; {cure}"
