"""Read the channel files: `channels/<name>.yaml`, each with the line of everything in it.

A file with a `matrix` makes a channel of each entry: `<file>_<entry>`. An entry names what differs
from the rest of the file, which its channels share: title, owner, connection, schedule, options of
the source. A mistake in an entry stops that channel alone.

Every mistake of every file is reported in one run. YAML is read as in YAML 1.2: `No`, `Ya` and
`6-11-2024` are texts (a column called `No` is common).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain, combinations
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from lumbung.errors import ConfigurationError
from lumbung.intake.channel.models import Channel
from lumbung.intake.channel.types import Place
from lumbung.intake.channel.validate import (
    contradictions,
    contradictions_among,
    contradicts_provinces,
)
from lumbung.intake.connectors import KINDS
from lumbung.registry import provinces

_MAX_NODES = 20_000  # of a channel file; aliases that multiply one another have more


def load_channels(folder: Path) -> dict[str, Channel]:
    """Read every channel file of a folder.

    Returns:
        name of the file -> channel, in the order of names.

    Raises:
        ConfigurationError: with every mistake of every file: file, line, field and remediation.
    """
    channels, mistakes = read_channels(folder)
    problems = [each for found in mistakes.values() for each in found]
    problems += [
        f"channel {name}: source: reads what channel {other} reads, by the same connection, so"
        " everything would count twice; remove one of them, or let their options exclude each other"
        for name, other in twins(channels)
    ]
    if problems:
        raise _mistaken(problems, folder)
    return channels


def load_channel(folder: Path, name: str) -> Channel:
    """One channel of a folder, whatever is wrong with other files.

    Args:
        folder: the folder of channel files.
        name: the name of its file, or the name under which its records are kept.

    Raises:
        ConfigurationError: with every mistake of its file, or that there is no such channel.
    """
    channels, mistakes = read_channels(folder)
    if name in mistakes:
        raise _mistaken(mistakes[name], folder)
    named = {channel.name: channel for channel in channels.values()} | channels
    if name not in named:
        raise ConfigurationError(
            f"there is no channel {name!r}",
            where=str(folder),
            remediation=f"use one of {', '.join(channels) or 'the channels you add'}",
        )
    return named[name]


def read_channels(folder: Path) -> tuple[dict[str, Channel], dict[str, list[str]]]:
    """The channels whose files are right, and the mistakes of the others, by the files' names.

    Where the seeds beside the folder have one province, it is that of every channel.
    """
    known = provinces(folder.parent)
    channels: dict[str, Channel] = {}
    mistakes: dict[str, list[str]] = {}
    lines: dict[str, dict[Place, int]] = {}
    files: dict[str, str] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.suffix == ".yml":
            mistake = f"{file.name}:1: a channel file ends in .yaml; rename it"
            mistakes.setdefault(file.stem, []).append(mistake)
        if file.suffix != ".yaml":
            continue
        for name, channel, found, lines_of_channel in _read(file):
            if name in lines:
                found = [*found, f"{file.name}:1: there are two channels {name!r}; rename one"]
            lines[name], files[name] = lines_of_channel, file.name
            if found:
                mistakes.setdefault(name, []).extend(found)
            if channel is not None:
                channels[name] = channel
    for name, channel in channels.items():
        for place, text in chain(
            contradictions_among(channel, channels, mistakes),
            contradicts_provinces(channel, known),
        ):
            nearest, shown = _locate(place, lines[name])
            mistake = f"{files[name]}:{lines[name].get(nearest, 1)}: {shown}: {text}"
            mistakes.setdefault(name, []).append(mistake)
    only = {"province": known[0]} if len(known) == 1 else {}
    return {
        name: each.model_copy(update=only)
        for name, each in channels.items()
        if name not in mistakes
    }, mistakes


def twins(channels: Mapping[str, Channel]) -> list[tuple[str, str]]:
    """The pairs of channels that read the same deliveries by one connection.

    They stop nothing here: of two channels that read one source, a pull refuses the newer one.
    """
    return [
        (name, other)
        for (name, a), (other, b) in combinations(channels.items(), 2)
        if a.connection is not None
        and a.connection == b.connection
        and a.source.overlaps(b.source)
        and b.source.overlaps(a.source)
    ]


def name_of_records(folder: Path, name: str) -> str:
    """The name under which the records of a channel are kept, by that of its file."""
    channels, _ = read_channels(folder)
    return channels[name].name if name in channels else name


def stopped(mistakes: Mapping[str, list[str]]) -> list[str]:
    """One line of warning for each channel that stands still until its file is corrected.

    Args:
        mistakes: what `read_channels` gave.
    """
    return [
        f"channel {name} is not pulled, and what it landed is read as before, until its file is"
        f" corrected: {'; '.join(found)}"
        for name, found in mistakes.items()
    ]


def without_file(absent: Iterable[str]) -> list[str]:
    """One line of warning for each channel whose file is missing.

    Args:
        absent: what `sync` gave.
    """
    return [
        f"channel {name} has no file: it is not pulled, and what it landed is read as before; put"
        f" its file back, or run 'lumbung channel retire {name}'"
        for name in absent
    ]


def _mistaken(problems: list[str], folder: Path) -> ConfigurationError:
    number = f"{len(problems)} mistake{'s' if len(problems) > 1 else ''}"
    return ConfigurationError(
        f"{number} in the channel files:\n  " + "\n  ".join(problems) + "\n",
        where=str(folder),
        remediation="correct the lines named above and run the same command again",
    )


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


class _Reading(NamedTuple):
    """A channel of a file, or its mistakes, and where everything stands."""

    name: str
    channel: Channel | None
    mistakes: list[str]
    lines: dict[Place, int]


def _read(file: Path) -> list[_Reading]:
    """The channels of one file."""

    def unreadable(line: int, text: str) -> list[_Reading]:
        return [_Reading(file.stem, None, [f"{file.name}:{line}: {text}"], {})]

    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        if not isinstance(node, yaml.MappingNode):
            return unreadable(1, "not a channel; begin with 'title: ...'")
        matrix = [pair for pair in node.value if pair[0].value == "matrix"]
        node.value = [pair for pair in node.value if pair not in matrix]
        lines: dict[Place, int] = {}
        problems: list[tuple[int, str]] = []
        document = _plain(node, (), lines, problems)
        if not matrix:
            return [_channel(file, file.stem, document, lines, problems)]
        ((key, entries),) = matrix[:1]
        if not isinstance(entries, yaml.MappingNode) or not entries.value or matrix[1:]:
            return unreadable(
                key.start_mark.line + 1,
                "matrix: is not one list of channels; write 'name: {title: ..., owner: ...}'",
            )
        return [_entry(file, key, entry, document, lines, problems) for key, entry in entries.value]
    except OSError as error:
        return unreadable(1, f"cannot be read: {error.strerror}; make it a readable file")
    except UnicodeDecodeError:
        return unreadable(1, "the file is not UTF-8; save it as UTF-8")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return unreadable(line, f"not YAML: {error.problem}; correct the indentation")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return unreadable(line, "not YAML: a control character; delete it")
    except RecursionError:
        return unreadable(1, "it holds itself (&, *) or nests without end; write it out")


def _entry(
    file: Path,
    key: yaml.Node,
    node: yaml.Node,
    shared: dict[str, Any],
    shared_lines: dict[Place, int],
    shared_problems: list[tuple[int, str]],
) -> _Reading:
    """The channel of an entry of a matrix."""
    line = key.start_mark.line + 1
    name = f"{file.stem}_{key.value}"
    if not isinstance(node, yaml.MappingNode):
        text = f"matrix.{key.value}: is not a channel; write '{{title: ..., owner: ...}}'"
        return _Reading(name, None, [f"{file.name}:{line}: {text}"], {})
    lines: dict[Place, int] = {}
    problems = shared_problems.copy()
    document = shared.copy()
    for field, value in _plain(node, (), lines, problems).items():
        before = document.get(field)
        is_part = isinstance(before, dict) and isinstance(value, dict)
        document[field] = before | value if before and is_part else value
    return _channel(file, name, document, {(): line, **shared_lines, **lines}, problems)


def _channel(
    file: Path,
    name: str,
    document: dict[str, Any],
    lines: dict[Place, int],
    problems: list[tuple[int, str]],
) -> _Reading:
    """The channel that a document describes."""
    channel = None
    if "name" in document:
        problems.append((lines["name",], "name: the file's name is the channel's; remove the line"))
    try:
        channel = Channel.model_validate({"id": name, **document})
        found = [(place, text) for place, text in contradictions(channel)]
    except ValidationError as error:
        found = [(each["loc"], _explain(each)) for each in error.errors()]
    for place, text in found:
        nearest, shown = _locate(place, lines)
        problems.append((lines.get(nearest, 1), f"{shown}: {text}"))
    mistakes = [f"{file.name}:{line}: {text}" for line, text in sorted(problems)]
    return _Reading(name, None if mistakes else channel, mistakes, lines)


def _plain(
    node: yaml.Node, path: Place, lines: dict[Place, int], problems: list[tuple[int, str]]
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


def _locate(loc: Place, lines: Mapping[Place, int]) -> tuple[Place, str]:
    """The nearest place in the file, and the field's name as a person would say it."""
    path: Place = ()
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
            return f"kind is missing or unknown; use one of {', '.join(KINDS)}"
        case "literal_error":
            return f"{error['input']!r} is not known; use {error['ctx']['expected']}"
        case "value_error":
            return f"{error['input']!r} cannot be used; {error['ctx']['error']}"
    return f"{error['msg']}; correct the value"
