"""Load the messages of a language from `id.yaml` or `en.yaml`, one message per key."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml


@cache
def messages(language: str, *, is_of_country: bool = False) -> dict[str, str]:
    """Return every message by its key, in the file's order, with parts (`{_name}`) filled in.

    Args:
        language: `id` or `en`.
        is_of_country: whether the country's edition prints them: then those of `id_country.yaml` or
            `en_country.yaml` take the place of others.

    Raises:
        KeyError: when a message names a part that the file does not define.

    """
    found = _file(language)
    if is_of_country:
        found = found | _file(f"{language}_country")

    def filled(text: str) -> str:
        return re.sub(r"\{(_\w+)\}", lambda part: filled(found[part[1]]), text)

    return {key: filled(text) for key, text in found.items() if not key.startswith("_")}


def _file(name: str) -> dict[str, str]:
    source = files(__package__).joinpath(f"{name}.yaml").read_bytes()
    # The C loader takes 4 ms per file, the Python loader 30 ms.
    found: dict[str, str] = yaml.load(source, yaml.CSafeLoader)
    return found
