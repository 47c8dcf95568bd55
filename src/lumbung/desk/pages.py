"""Templates and texts of the desk."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse

from lumbung.desk.access import Person
from lumbung.desk.guard import SESSION, Tokens
from lumbung.intake.parsers.characters import DIRECTIONS
from lumbung.publication.model.edition import week_start
from lumbung.publication.translations.formatting import BY_LANGUAGE, Messages
from lumbung.registry import LANGUAGES
from lumbung.settings import JAKARTA

LANGUAGE = "lumbung_lang"
"""The cookie that keeps the chosen language."""
FOLDER = Path(__file__).parent
_WITHOUT_DIRECTIONS = dict.fromkeys(map(ord, DIRECTIONS))


@cache
def texts(language: str) -> dict[str, str]:
    """Return the desk's texts by key; `language` is `id` or `en`."""
    source = files(__package__).joinpath(f"translations/{language}.yaml").read_bytes()
    found: dict[str, str] = yaml.load(source, yaml.CSafeLoader)
    return found


def language_of(request: Request) -> str:
    """Return the language of a request: chosen in its address, chosen before, or Indonesian."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return LANGUAGES[0]


def foreign(text: object) -> Markup:
    """Return text from outside as HTML in which neither tags nor writing directions take effect."""
    return Markup("<bdi>{}</bdi>").format(escape(text))


def undirected(text: str) -> str:
    """Return a text without marks of direction, for a title, in which no element isolates them."""
    return text.translate(_WITHOUT_DIRECTIONS)


def in_wib(moment: datetime) -> date:
    """Return the day of a moment in Asia/Jakarta."""
    return moment.astimezone(JAKARTA).date()


def week_days(m: Messages, week_id: str) -> str:
    """Return the days of an ISO week: `18–24 November 2024`."""
    first = week_start(week_id)
    return m.week_range(first, first + timedelta(days=6))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["foreign"] = foreign
    environment.filters["undirected"] = undirected
    environment.filters["in_wib"] = in_wib
    environment.globals["week_days"] = week_days
    return environment


class Pages:
    """Renders pages.

    Args:
        tokens: make the tokens of forms.

    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def render(
        self,
        request: Request,
        template: str,
        who: Person | None,
        *,
        status: int = 200,
        **values: Any,
    ) -> HTMLResponse:
        """Render a template of `templates/` for a person, None before the login.

        A page that refuses a form (its status says so) fills its fields again: in a template,
        `typed(action, name)` is what was typed into a field of the form with that action, and
        `chosen(action, name)` lists what was chosen. Both are empty for other forms and pages.
        """
        given = getattr(request.state, "typed", FormData()) if status >= 400 else FormData()

        def typed(action: str, name: str) -> str:
            """What was typed into a field of a form that is refused."""
            found = given.get(name) if action == request.url.path else None
            return found if isinstance(found, str) else ""

        def chosen(action: str, name: str) -> list[str]:
            """What was chosen in a form that is refused."""
            found = given.getlist(name) if action == request.url.path else []
            return [each for each in found if isinstance(each, str)]

        language = language_of(request)
        other = next(each for each in LANGUAGES if each != language)
        found = texts(language)
        content = (
            _environment()
            .get_template(f"{template}.html.j2")
            .render(
                t=found,
                m=BY_LANGUAGE[language],
                language=language,
                other=other,
                who=who,
                root=request.scope["root_path"],
                airflow=airflow_root(request),
                path=request.url.path,
                other_address=_in_language(request, other),
                typed=typed,
                chosen=chosen,
                csrf=self._tokens.make(request, who.account) if who else "",
                **values,
            )
        )
        response = HTMLResponse(content, status)
        is_secure = request.url.scheme == "https"
        kept = {SESSION: self._tokens.session(request)} if who else {}
        if "lang" in request.query_params:
            kept[LANGUAGE] = language
        for name, value in kept.items():
            response.set_cookie(
                *(name, value),
                path=request.scope["root_path"] or "/",
                secure=is_secure,
                httponly=True,
                # A link in a mail that is opened in another tab must not begin another session.
                samesite="lax",
            )
        return response


def _in_language(request: Request, language: str) -> str:
    """Return the address of a page in a language; of a page that a form led to, the first page."""
    if request.method not in ("GET", "HEAD"):
        return f"{request.scope['root_path']}/?lang={language}"
    return f"{request.url.path}?{request.url.include_query_params(lang=language).query}"


def airflow_root(request: Request) -> str:
    """Return the path of Airflow's page, above that of the desk."""
    return str(request.scope["root_path"]).rpartition("/")[0]
