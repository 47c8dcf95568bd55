"""The registry of kinds: each turns a source into a stream of deliveries.

A kind is a package of this one: `config.py` (its options), `reader.py` (the connector),
`scaffold.py` (what `lumbung channel add` proposes) and its traits (`KIND`).
"""

from __future__ import annotations

from importlib import import_module

from lumbung.errors import ConfigurationError
from lumbung.intake.connectors.base import Kind

KINDS: dict[str, Kind] = {
    name: import_module(f"{__name__}.{name}").KIND
    for name in (
        "register",
        "whatsapp",
        "kobo",
        "http_json",
        "form_csv",
        "odk",
        "ushahidi",
        "whatsapp_cloud",
        "email",
        "form_a",
        "sigaplapor",
        "sql",
    )
}
"""Every kind by its name. A new one is a package and a line here."""


def kind(name: str) -> Kind:
    """The kind of a name.

    Raises:
        ConfigurationError: when there is none.
    """
    if name not in KINDS:
        raise ConfigurationError(
            f"there is no kind of channel {name!r}",
            where="the kind of a channel",
            remediation=f"use one of {', '.join(KINDS)}",
        )
    return KINDS[name]
