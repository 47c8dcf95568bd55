"""Registers the desk with Airflow: its pages at `/lumbung/`, and a link in the navigation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from starlette.responses import RedirectResponse

PREFIX = "/lumbung"


class Desk:
    """The desk's ASGI application, imported at the first request.

    Every process of Airflow loads the plugins, and only the API server is sent requests.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        from lumbung.desk.app import behind_airflow

        await behind_airflow()(scope, receive, send)


class Slash:
    """Leads `/lumbung` to `/lumbung/`: Airflow would answer the former with its own page."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        app = self.app
        if scope["type"] == "http":
            root = scope.get("root_path", "")
            if scope["path"].removeprefix(root) == PREFIX:
                query = scope["query_string"].decode("latin-1")
                app = RedirectResponse(f"{root}{PREFIX}/" + f"?{query}" * bool(query), 307)
        await app(scope, receive, send)


class LumbungDesk(AirflowPlugin):
    """What Airflow's plugin manager reads."""

    name = "lumbung_desk"
    fastapi_apps = [{"app": Desk(), "url_prefix": PREFIX, "name": "Lumbung"}]  # noqa: RUF012
    fastapi_root_middlewares = [{"middleware": Slash, "name": "Lumbung"}]  # noqa: RUF012
    # Without `url_route`, Airflow opens the link instead of embedding the page in a frame.
    external_views = [  # noqa: RUF012
        {
            "name": "Lumbung",
            "href": urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
            + f"{PREFIX}/",
            "destination": "nav",
        }
    ]
