"""Alembic's scripts, and the one function that brings a database up to them."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from gateway.store.database import Database


def upgrade(database: Database) -> None:
    """Bring the database to the newest form; does nothing where it is there already."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
