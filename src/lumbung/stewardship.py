"""The review list (`marts.fct_review_item`) and the notices about it to its owners."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

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


PAIRS = "pair_undecided"
"""The check whose items are pairs of cases."""


def waiting(database_url: str) -> tuple[list[str], int]:
    """Return the ids of the pairs that wait for a person, and how many other items there are.

    These are the items of `items`, counted without reading them.

    Raises:
        BuildError: when nothing has been built yet.

    """
    with database.connect(database_url, application="lumbung review") as connection:
        _require_built(connection)
        pairs, others = connection.execute(
            "select coalesce(array_agg(item_id) filter (where check_code = %(pairs)s), '{}'),"
            " count(*) filter (where check_code not in (%(pairs)s, 'word_unknown'))"
            " + count(distinct (regency_code, channel, detail))"
            "   filter (where check_code = 'word_unknown') from marts.fct_review_item",
            {"pairs": PAIRS},
        ).fetchone() or ([], 0)
    return pairs, others


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
