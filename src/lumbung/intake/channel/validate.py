"""Contradictions of channel files: what is well-formed and yet cannot be meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.channel.types import Place
from lumbung.intake.connectors import kind
from lumbung.registry import canonical_fields


def contradictions(channel: Channel) -> Iterator[tuple[Place, str]]:
    """What is well-formed and yet cannot be meant."""
    spelled: dict[str, str] = {}
    places: list[tuple[Place, str]] = [
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
            remediation = "take it from one of the two lists"
            yield path, f"{label!r} is personal and would be stored in the clear; {remediation}"
    for label in channel.subject:
        if normalise(label) not in private:
            yield ("subject",), f"{label!r} is not personal; add it to 'personal'"
    for name, field in channel.fields.items():
        parser = canonical_fields()[name].parser
        if field.parser not in (None, parser):
            yield ("fields", name, "parser"), f"{field.parser!r} does not fit; write {parser!r}"
        if field.scheme and parser != "code":
            yield ("fields", name, "scheme"), "only a code has a scheme; remove it"
        if field.separator and parser != "list":
            yield ("fields", name, "separator"), "only a list has a separator; remove it"
        if parser == "list" and not field.separator:
            yield ("fields", name), "is a list; add its separator, e.g. separator: ';'"
        if len({normalise(label) for label in field.labels}) < len(field.labels):
            yield ("fields", name, "from"), "names a label twice; remove one"
    has_key = kind(channel.kind).has_key
    if has_key and not channel.key:
        problem = f"is missing: a {channel.kind} row needs labels that make its key; add them"
        yield ("key",), problem
    if not has_key and channel.key:
        yield ("key",), f"a {channel.kind} channel makes its own source ids; remove it"
    needed = kind(channel.kind).needed_of_connection(channel.source)
    if needed and channel.connection is None:
        yield ("connection",), f"is missing: {needed}; name a connection"
    for place, text in channel.source.contradictions(channel.key):
        yield ("source", *place), text


def contradicts_provinces(
    channel: Channel, provinces: Collection[str]
) -> Iterator[tuple[Place, str]]:
    """What the channel says of its province that the seeds do not.

    Args:
        channel: the channel.
        provinces: the codes of those in the seeds; empty where they are not known.
    """
    known = ", ".join(provinces)
    if channel.province is None and len(provinces) > 1:
        yield ("province",), f"is missing, and the seed regency has {known}; name the channel's"
    if channel.province and provinces and channel.province not in provinces:
        yield ("province",), f"{channel.province!r} is not in the seed regency; use one of {known}"


def contradictions_among(
    channel: Channel, channels: Mapping[str, Channel], mistaken: Collection[str]
) -> Iterator[tuple[Place, str]]:
    """What of a channel does not go together with another one.

    Args:
        channel: the channel.
        channels: those whose own files are right, by the files' names.
        mistaken: the names of files that have mistakes.
    """
    called = next(name for name, each in channels.items() if each is channel)
    twins = [n for n, each in channels.items() if each.name == channel.name and n != called]
    if called != channel.name and (twins or channel.name in mistaken):
        twin = (*twins, channel.name)[0]
        yield (
            ("id",),
            f"{twin}.yaml keeps its records under {channel.name!r}, too; remove one of the files",
        )
    named = {each.name: each for each in channels.values()} | {**channels}
    for place, text in channel.source.contradictions_among(named, mistaken):
        yield ("source", *place), text
