"""The review list (`marts.fct_review_item`) and the notices about it to its owners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row, dict_row

from lumbung import database
from lumbung.errors import BuildError, ConfigurationError

if TYPE_CHECKING:
    import psycopg

    from lumbung.publication.delivery.notices import Notifier


class Item(NamedTuple):
    """One item of the review list; a word that several deliveries hold is one item."""

    check_code: str
    check_name: str
    item_id: str
    regency_name: str
    severity: str
    owner: str
    channel: str
    detail: str
    record_id: int | None
    record_count: int
    since_date: date
    remediation: str


@dataclass(frozen=True)
class Check:
    """The items of one check: how many, and the day since which the oldest waits."""

    check_code: str
    count: int
    since: date


class Waiting(NamedTuple):
    """What waits: the ids of the pairs, the likeliest first, and the other items by check."""

    pairs: list[str]
    checks: list[Check]


class Word(NamedTuple):
    """An unknown word in all channels and regencies: `vocabulary: word`, or a vocabulary alone.

    Attributes:
        record_id: a record that holds it.
        record_count: how many deliveries hold it.

    """

    detail: str
    record_id: int | None
    record_count: int
    since_date: date
    channels: list[str]


@dataclass(frozen=True)
class Part:
    """Items of one check from a place on, from 1, and how many the check has."""

    items: list[Item]
    first: int
    count: int


PAIRS = "pair_undecided"
"""The check whose items are pairs of cases."""
WORDS = "word_unknown"
"""The check whose items are one for each word of a regency and channel."""


def waiting(database_url: str) -> Waiting:
    """Return what waits, counted as `items` lists it, without reading the items.

    Raises:
        BuildError: when nothing has been built yet.

    """
    with database.connect(database_url, application="lumbung review") as connection:
        _require_built(connection)
        pairs = connection.execute(
            "select i.item_id from marts.fct_review_item as i left join marts.fct_report_pair as p"
            " on p.report_id_a = i.delivery_id and p.report_id_b = i.other_id"
            " where i.check_code = %s"
            " order by p.weight desc nulls last, i.since_date, i.item_id",
            (PAIRS,),
        ).fetchall()
        checks = connection.cursor(row_factory=class_row(Check)).execute(
            "select check_code, count(*), min(since) as since from"
            " (select owner, check_code, min(since_date) as since from marts.fct_review_item"
            "  where check_code <> %s"
            # a word is one item, however many deliveries hold it
            "  group by owner, check_code, regency_code, channel, detail,"
            "  case when check_code <> 'word_unknown' then item_id end) as item"
            " group by item.owner, check_code order by item.owner, check_code",
            (PAIRS,),
        )
        return Waiting([item_id for (item_id,) in pairs], checks.fetchall())


def words(database_url: str) -> list[Word]:
    """Return the unknown words that wait.

    Raises:
        BuildError: when nothing has been built yet.

    """
    with database.connect(database_url, application="lumbung review") as connection:
        _require_built(connection)
        return (
            connection.cursor(row_factory=class_row(Word))
            .execute(
                "select detail, min(record_id) as record_id,"
                " sum(record_count)::bigint as record_count, min(since_date) as since_date,"
                " array_agg(distinct channel) as channels"
                " from marts.fct_review_item where check_code = %s group by detail",
                (WORDS,),
            )
            .fetchall()
        )


def of_check(database_url: str, check: str, *, after: tuple[int, str], limit: int) -> Part:
    """Return items of one check, the oldest first, that are no pairs.

    Args:
        database_url: the warehouse.
        check: the check.
        after: day (`date.toordinal`) and id of the item before; it need not exist any more.
        limit: how many at most.

    Raises:
        BuildError: when nothing has been built yet.

    """
    with database.connect(database_url, application="lumbung review") as connection:
        _require_built(connection)
        found = connection.cursor(row_factory=dict_row).execute(
            "with item as (select check_code, min(item_id) as item_id, regency_code, severity,"
            "  owner, channel, detail, min(record_id) as record_id,"
            "  sum(record_count)::bigint as record_count, min(since_date) as since_date,"
            "  remediation from marts.fct_review_item where check_code = %s and check_code <> %s"
            "  group by check_code, regency_code, severity, owner, channel, detail, remediation,"
            "  case when check_code <> 'word_unknown' then item_id end),"
            " listed as (select *, row_number() over (order by since_date, item_id) as first,"
            "  count(*) over () as count from item)"
            " select i.check_code, c.check_name, i.item_id, r.short_name as regency_name,"
            " i.severity, i.owner, i.channel, i.detail, i.record_id, i.record_count, i.since_date,"
            " i.remediation, i.first, i.count from listed as i"
            " inner join marts.dim_regency as r using (regency_code)"
            " inner join reference.review_check as c using (check_code)"
            " where (i.since_date - date '0001-01-01' + 1, i.item_id) > (%s::bigint, %s)"
            " order by i.since_date, i.item_id limit %s",
            (check, PAIRS, *after, limit),
        )
        rows = found.fetchall()
    first, count = (rows[0]["first"], rows[0]["count"]) if rows else (0, 0)
    return Part([Item(*(row[name] for name in Item._fields)) for row in rows], first, count)


def _require_built(connection: psycopg.Connection) -> None:
    built = connection.execute("select to_regclass('marts.fct_review_item')").fetchone()
    if built == (None,):
        raise BuildError(
            "there is no review list yet",
            where="marts.fct_review_item",
            remediation="build the warehouse ('lumbung build')",
        )


def items(database_url: str, *, regency: str = "", check: str = "") -> list[Item]:
    """The items that wait for a person, by owner and check, the oldest first.

    Args:
        database_url: the warehouse.
        regency: only items of this regency, a code (`19.05`) or a name (`Babar`).
        check: only items of this check (seed `review_check`).

    Raises:
        BuildError: when nothing has been built yet.
        ConfigurationError: when there is no such regency or check.

    """
    with database.connect(database_url, application="lumbung review") as connection:
        _require_built(connection)
        for given, known in (
            (regency, "select regency_code || ' ' || short_name from marts.dim_regency order by 1"),
            (check, "select check_code from reference.review_check order by 1"),
        ):
            names = [str(name) for (name,) in connection.execute(known.encode())]
            words = {word.casefold() for name in names for word in name.split(" ", 1)}
            if given and given.casefold() not in words:
                raise ConfigurationError(
                    f"there is no {given!r} in the review list",
                    where="marts.fct_review_item",
                    remediation=f"choose one of {', '.join(names)}",
                )
        return (
            connection.cursor(row_factory=class_row(Item))
            .execute(
                "select i.check_code, c.check_name, min(i.item_id) as item_id,"
                " r.short_name as regency_name, i.severity, i.owner, i.channel, i.detail,"
                " min(i.record_id) as record_id, sum(i.record_count)::bigint as record_count,"
                " min(i.since_date) as since_date, i.remediation from marts.fct_review_item as i"
                " inner join marts.dim_regency as r using (regency_code)"
                " inner join reference.review_check as c using (check_code)"
                " left join marts.fct_report_pair as p on i.check_code = 'pair_undecided'"
                "   and p.report_id_a = i.delivery_id and p.report_id_b = i.other_id"
                " where (%(check)s = '' or i.check_code = %(check)s) and (%(regency)s = ''"
                " or lower(%(regency)s) in (r.regency_code, lower(r.short_name)))"
                # a word is one item, however many deliveries hold it
                " group by i.check_code, c.check_name, r.short_name, i.severity, i.owner,"
                " i.channel, i.detail, i.remediation,"
                " case when i.check_code <> 'word_unknown' then i.item_id end"
                # the likeliest pairs first
                " order by i.owner, i.check_code, max(p.weight) desc nulls last, since_date,"
                " item_id, r.short_name",
                {"regency": regency, "check": check},
            )
            .fetchall()
        )


def notify_owners(*, notifier: Notifier, database_url: str) -> dict[str, dict[str, int]]:
    """Report the items that wait to their owners: by the notifier, and in the log.

    Neither waiting items nor a notice that cannot be sent raise an error.

    Returns:
        owner -> check -> number of items that wait; empty before the first build.

    """
    from lumbung.publication.delivery import notify

    try:
        waiting = items(database_url)
    except BuildError as error:
        print(error)
        return {}
    counts: dict[str, dict[str, int]] = {}
    oldest: dict[str, Item] = {}
    for item in waiting:
        oldest.setdefault(item.check_code, item)
        of_owner = counts.setdefault(item.owner, {})
        of_owner[item.check_code] = of_owner.get(item.check_code, 0) + 1
    text = "\n".join(
        f"- {item.owner}: {item.check_name}: {counts[item.owner][item.check_code]}"
        f" (sejak {item.since_date:%d-%m-%Y})\n  {item.remediation}"
        for item in oldest.values()
    )
    print(text or "nothing waits for review")
    if waiting:
        notify.notify_of_review_items(len(waiting), text, notifier=notifier)
    return counts
