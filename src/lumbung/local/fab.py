"""Airflow's FAB auth manager: accounts in the database, whose passwords people change themselves.

`python -m lumbung.local.fab` reads accounts as JSON, name -> [role, password], and creates those
that do not exist. A password is set once, so that one a person has chosen stays.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User
from airflow.providers.fab.www.security import permissions

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails

OURS = "@accounts.invalid"
"""The end of the addresses of accounts that `config/people.yaml` names; FAB requires an address."""


class AuthManager(FabAuthManager):  # type: ignore[misc]
    """FAB's auth manager, in which a DAG names those who answer a task by account.

    FAB compares the numbers of its rows, which no DAG file can know. And of whoever answers it
    requires the right to edit the DAG, which is the right to start, pause and delete it.
    """

    def is_authorized_dag(
        self,
        *,
        method: ResourceMethod,
        user: User,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Return whether a person may do this to a DAG; Airflow asks next who is assigned."""
        given = {"user": user, "access_entity": access_entity, "details": details}
        if access_entity != DagAccessEntity.HITL_DETAIL or method != "PUT":
            return bool(super().is_authorized_dag(method=method, **given))
        may_answer = self._is_authorized(
            method=method, resource_type=permissions.RESOURCE_HITL_DETAIL, user=user
        )
        return bool(may_answer and super().is_authorized_dag(method="GET", **given))

    def is_authorized_hitl_task(self, *, assigned_users: set[str], user: User) -> bool:
        """Return whether a person may answer a task that is assigned to accounts."""
        return user.username in assigned_users


def write_accounts(accounts: dict[str, tuple[str, str]]) -> None:
    """Create accounts, give them their roles, and close those that are no longer listed.

    Accounts that an administrator created on Airflow's page are left alone.

    Args:
        accounts: by name, the role (`admin`, `op`, `approver`, `viewer`) and the first password.

    """
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        manager.sync_roles()
        answering = (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_HITL_DETAIL)
        manager.bulk_sync_roles(
            [{"role": "Approver", "perms": [*manager.VIEWER_PERMISSIONS, answering]}]
        )
        known = {user.username: user for user in manager.get_all_users()}
        for name, (role_name, password) in accounts.items():
            role = manager.find_role(role_name.capitalize())
            user = known.pop(name, None)
            if user is None:
                # Airflow shows the two names, so the account is one of them.
                if not manager.add_user(name, name, "", f"{name}{OURS}", role, password):
                    raise SystemExit(f"the account {name} could not be created; see above")
            elif user.email.endswith(OURS) and (user.roles != [role] or not user.active):
                user.roles, user.active = [role], True
                manager.update_user(user)
        for user in known.values():
            if user.email.endswith(OURS) and user.active:
                user.active = False
                manager.update_user(user)


if __name__ == "__main__":
    write_accounts({name: (role, word) for name, (role, word) in json.load(sys.stdin).items()})
