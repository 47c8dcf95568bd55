"""The first page: what waits, the last edition and the next one."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from lumbung import database
from lumbung.desk import channels, quarantine, review_list
from lumbung.desk.access import Person, database_url
from lumbung.desk.editions import visible
from lumbung.desk.office import Office
from lumbung.desk.scope import scope
from lumbung.publication.delivery import notify
from lumbung.publication.editions.schedule import as_of, week_before
from lumbung.settings import JAKARTA, Settings


def routes(office: Office) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter()

    @router.get("/")
    def today(request: Request, who: Annotated[Person, Depends(office.who)]) -> Response:
        found = visible(who, database_url("auditor"))
        with database.connect(database_url("auditor"), application="lumbung desk") as connection:
            now = database.now(connection).astimezone(JAKARTA)
        # No schedule runs in a demo's home, whose records end in 2024.
        is_demo = Settings.load().demo_claim.exists()
        next_edition = None if is_demo else as_of(week_before(now + timedelta(days=7)))
        seen = scope(who) if who.may_see_channels else None
        late_count, held_count = channels.troubled(seen) if seen else (0, 0)
        pair_count, item_count = review_list.counts(who) if who.review_role else (0, 0)
        return office.pages.render(
            request,
            "today",
            who,
            now=now,
            waiting=[each for each in found if each.is_waiting],
            latest=next((each for each in found if each.state == "published"), None),
            next_edition=next_edition,
            deadline_count=(
                notify.ending_deadlines(
                    now.date(),
                    prefix=who.area_prefix,
                    database_url=database_url("auditor"),
                )
                if who.may_open_sheet
                else 0
            ),
            late_count=late_count,
            held_count=held_count,
            quarantine_count=quarantine.count(seen) if seen else 0,
            item_count=item_count,
            pair_count=pair_count,
        )

    return router
