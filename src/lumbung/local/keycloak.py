"""Airflow's Keycloak auth manager, for an office that has a directory of its own.

It needs `apache-airflow-providers-keycloak`, which no other installation has.
"""

from __future__ import annotations

from airflow.providers.keycloak.auth_manager.keycloak_auth_manager import KeycloakAuthManager
from airflow.providers.keycloak.auth_manager.user import KeycloakAuthManagerUser


class AuthManager(KeycloakAuthManager):  # type: ignore[misc]
    """Keycloak's auth manager, in which a DAG names those who answer a task by account.

    Keycloak's own compares the ids of its directory, which no DAG file can know.
    """

    def is_authorized_hitl_task(
        self, *, assigned_users: set[str], user: KeycloakAuthManagerUser
    ) -> bool:
        """Return whether a person may answer a task that is assigned to accounts."""
        return user.get_name() in assigned_users
