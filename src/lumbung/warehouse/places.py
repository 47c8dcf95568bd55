"""Ways of writing a place that the last build could not resolve, and the regions they may mean."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple, get_args

from psycopg.rows import class_row

from lumbung import database

Method = Literal["ambiguous", "contradictory", "unresolved", "chosen"]


class Unresolved(NamedTuple):
    """A way of writing a place, in all records that have it.

    Attributes:
        written: village, district and regency as written, and codes; words that name no place are
            pseudonyms.
        method: `ambiguous`, `contradictory`, `unresolved`, or `chosen` where a build has applied a
            steward's choice.
        candidates: codes of the regions that its words may mean.
        record_count: how many deliveries have it.

    """

    place_id: str
    written: str
    method: Method
    candidates: list[str]
    record_count: int
    since: date


def unresolved(database_url: str) -> list[Unresolved]:
    """Return what was not resolved, the most frequent first; nothing before the first build.

    Args:
        database_url: the warehouse, as its owner or `transformer`.

    """
    with database.connect(database_url, application="lumbung places") as connection:
        built = connection.execute(
            "select to_regclass('intermediate.int_places__resolved')"
        ).fetchone()
        if built == (None,):
            return []
        return (
            connection.cursor(row_factory=class_row(Unresolved))
            .execute(
                "with waiting as ("
                "  select p.place_id, p.location_method as method, concat_ws(', ',"
                "    p.village_raw, p.district_raw, p.regency_raw, p.village_code_raw,"
                "    p.district_code_raw, p.regency_code_raw) as written,"
                "    count(*) as record_count,"
                "    min(coalesce(r.receipt_date, r.landed_date)) as since"
                "  from intermediate.int_places__resolved as p"
                "  inner join intermediate.int_records__typed as r using (place_id)"
                "  left join reference.channel as c on r.channel = c.channel"
                "  where p.location_method = any(%s)"
                "    and r.exclusion_code is null and c.state is distinct from 'removed'"
                "  group by 1, 2, 3"
                ") select w.place_id, w.written, w.method, coalesce(("
                "   select array_agg(distinct coalesce(f.district_code, f.regency_code))"
                "   from intermediate.int_place_readings__found as f"
                "   where f.place_id = w.place_id and f.regency_code is not null"
                " ), '{}') as candidates, w.record_count, w.since"
                " from waiting as w order by w.record_count desc, w.written, w.place_id",
                (list(get_args(Method)),),
            )
            .fetchall()
        )
