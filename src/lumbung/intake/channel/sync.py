"""Make the channels known to dbt: `reference.channel` and `reference.channel_field`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psycopg

from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors import kind
from lumbung.registry import canonical_fields


def sync(
    connection: psycopg.Connection,
    channels: Mapping[str, Channel],
    mistaken: Collection[str] = (),
) -> list[str]:
    """Make `reference.channel` and `reference.channel_field` say what the channel files say.

    A channel without a file is taken out if it has landed nothing; else it stays as it was last, so
    that a file that is lost takes no record out of the facts. So does a channel that was retired or
    removed (`lumbung.intake.channel.life`), whether its file is still there or not; nothing is
    expected of it any more.

    Args:
        connection: any state; the change is a transaction (or a savepoint) of its own.
        channels: those of the files that are right (`read_channels`).
        mistaken: names of files that have mistakes: their channels stay as they were last, so that
            a slip in a file takes no record out of the facts.

    Returns:
        the channels that have landed records, were not ended, and have no file.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select channel from ops.channel_state where state <> 'active'")
        ended = {str(channel) for (channel,) in cursor}
        cursor.execute(
            "update reference.channel as c set state = s.state, expected_every = null"
            " from ops.channel_state as s where s.channel = c.channel and s.state <> 'active'"
        )
        cursor.execute(
            "select channel from reference.channel where file_name = any(%s)", ([*mistaken],)
        )
        named = {str(channel) for (channel,) in cursor}
        active = {name: each for name, each in channels.items() if each.name not in ended}
        kept = {*mistaken, *named, *ended}.difference(each.name for each in active.values())
        cursor.execute(
            "select distinct channel from raw.batch where landed_count > 0 and channel <> all(%s)"
            " order by channel",
            ([*kept, *(each.name for each in active.values())],),
        )
        absent = [str(channel) for (channel,) in cursor]
        cursor.execute(
            "delete from reference.channel where channel <> all(%s)", ([*kept, *absent],)
        )
        cursor.executemany(
            "insert into reference.channel (channel, file_name, kind, title, owner_name,"
            " owner_email, record_kind, timezone, expected_every, has_receipt_time, is_message,"
            " has_editable_times, province_code)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(c.name, name, c.kind, c.title, c.owner.name, c.owner.email),
                    *(c.record_kind, c.timezone, c.expected_every, traits.has_receipt_time),
                    *(bool(traits.message_labels), traits.has_editable_times, c.province),
                )
                for name, c in active.items()
                for traits in (kind(c.kind),)
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
                    canonical_fields()[name].parser,
                    field.scheme,
                    field.separator,
                    field.required,
                )
                for channel in active.values()
                for name, field in channel.fields.items()
                for position, label in enumerate(field.labels, 1)
            ],
        )
    return absent
