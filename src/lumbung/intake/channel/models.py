"""The models of a channel file: what every kind of source has, and the options of its own kind.

A channel is one file `channels/<name>.yaml`, or an entry of a file's `matrix` (`load`). Its name is
the file's, or `<file>_<entry>`, until it is renamed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from croniter import croniter  # type: ignore[import-untyped]
from pydantic import AfterValidator, Field

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.types import Duration, Labels, Line, StrictModel, Zone
from lumbung.intake.connectors import KINDS
from lumbung.registry import canonical_fields

if TYPE_CHECKING:
    from lumbung.intake.connectors.base import SourceConfig as AnySource
else:
    AnySource = Union[tuple(kind.config for kind in KINDS.values())]  # noqa: UP007 - of a list


def _cron(value: str) -> str:
    """A schedule of five fields that Airflow's cron timetable accepts: it uses the same library."""
    remediation = "write five cron fields, e.g. '0 5 * * *' for every day at 05:00"
    if len(value.split()) != 5:
        raise ValueError(remediation)
    try:
        croniter(value).get_next()
        croniter(value).get_prev()  # Airflow asks for the last occurrence, too
    except ValueError as error:
        raise ValueError(f"{error}; {remediation}") from None
    return value


def _canonical(value: str) -> str:
    if value not in canonical_fields():
        raise ValueError("it is not a canonical field; use one of " + ", ".join(canonical_fields()))
    return value


class _NameSchema:
    """The JSON schema of a field's name; the seed is read when somebody asks for it."""

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: object) -> dict[str, Any]:
        return {"type": "string", "enum": list(canonical_fields())}


FieldName = Annotated[str, AfterValidator(_canonical), _NameSchema]


NAME = r"^[a-z][a-z0-9_]{0,49}$"
"""What a channel may be called."""


class Owner(StrictModel):
    """The office that answers for a channel's data and is informed of its quarantine."""

    name: Line
    email: Annotated[Line, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class FieldMap(StrictModel):
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


class Channel(StrictModel):
    """One intake channel.

    Attributes:
        name: the name under which its records are kept (`id` in the file, written by
            `lumbung channel rename`); the file's name, where the file has none.
        title: what people call it.
        owner: who answers for it.
        province: the code of two digits of the province whose places its records name; none where
            the warehouse has only one.
        connection: the id of the Airflow Connection with address and credential; none for the
            folder `LUMBUNG_HOME/inbox/<name>`.
        schedule: when it is pulled, as cron, in `timezone`.
        timezone: the zone of times that the source writes without one.
        expected_every: how often something new should come.
        record_kind: LP, TM, IA, LHP, PREV or PLAN (a plan of prevention); none where a mapped
            field says it.
        source: the connector's own options.
        key: labels whose values make a row's source id, for kinds that have no id of their own.
        personal: labels of personal fields: they go to the vault.
        subject: personal labels that identify a reporter; the first one filled makes the token.
        kept: labels that are known, not personal and mapped to no canonical field.
        fields: the field map.
    """

    name: str = Field(alias="id", pattern=NAME)
    title: Line
    owner: Owner
    province: Annotated[str, Field(pattern=r"^\d\d$")] | None = None
    connection: str | None = None
    schedule: Annotated[str, AfterValidator(_cron)]
    timezone: Zone = "Asia/Jakarta"
    expected_every: Duration | None = None
    record_kind: Literal["LP", "TM", "IA", "LHP", "PREV", "PLAN"] | None = None
    source: Annotated[AnySource, Field(discriminator="kind")]
    key: Labels = ()
    personal: Labels = ()
    subject: Labels = ()
    kept: Labels = ()
    fields: dict[FieldName, FieldMap] = Field(min_length=1)

    @property
    def kind(self) -> str:
        """The name of its kind (`lumbung.intake.connectors.KINDS`)."""
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
        """Labels (normalised) of the connector or of its options: known, and kept in the vault."""
        labels = (*KINDS[self.kind].system_labels, *self.source.labels)
        return frozenset(normalise(label) for label in labels)


def schema() -> str:
    """JSON Schema of a channel file, for editors (`channels/channel.schema.json`)."""
    found = Channel.model_json_schema(by_alias=True)
    found["required"].remove("id")  # the file's name, unless the channel was renamed
    entry = {"type": "object", "propertyNames": {"enum": list(found["properties"])}}
    found["properties"]["matrix"] = {
        "description": "A channel of each entry: what differs from the rest of the file.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": entry,
    }
    # What a file with a matrix lacks, its entries have.
    found["if"] = {"not": {"required": ["matrix"]}}
    found["then"] = {"required": found.pop("required")}
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["description"] = "One intake channel of Lumbung: docs/how-to/add-a-channel.md."
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
