"""Airflow's simple auth manager: accounts of a file, for a demo and one or two people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser


class AuthManager(SimpleAuthManager):  # type: ignore[misc]
    """The simple auth manager, in which a viewer may answer a task that is assigned to them.

    Its role `user`, which may answer tasks, may also start, pause and delete every DAG.
    """

    def is_authorized_dag(
        self,
        *,
        method: ResourceMethod,
        user: SimpleAuthManagerUser,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Return whether a person may do this to a DAG; Airflow asks next who is assigned."""
        if access_entity == DagAccessEntity.HITL_DETAIL and method == "PUT":
            method = "GET"
        allowed: bool = super().is_authorized_dag(
            method=method, user=user, access_entity=access_entity, details=details
        )
        return allowed
