"""How the schema came to be: one file a step in `versions`, appended, never edited; each only expands.

Alembic runs them, inside a transaction that the store has opened, without an ini file, so that it works from
the installed wheel. It is loaded only when there is something to do: it costs a tenth of a second.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Every revision that this code knows, oldest first. A test compares it with the files."""

FOLDER = Path(__file__).parent


def current(connection: Connection) -> str | None:
    """The revision of this database; None: it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def upgrade(connection: Connection, folder: Path = FOLDER) -> None:
    """Bring the database to the newest revision, within the transaction of this connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
