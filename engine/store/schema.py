"""The register's tables, and how an older one becomes one of today.

The register is an index of folders and holds nothing that is not in them, so there is one
migration: where the version differs, the tables are made anew and filled from the folders.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)

VERSION = 1  # count up whenever a column changes

tables = MetaData()
runs = Table(
    "orrery_runs",
    tables,
    Column("id", String(100), primary_key=True),
    Column("home", Text, nullable=False, index=True),  # machine and folder that hold its files
    Column("owner", String(100), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("model", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("ended", Float(53)),
    Column("steps", BigInteger, nullable=False),
    Column("epochs", BigInteger, nullable=False),
    Column("parameters", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("parent", String(100), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("figures", JSON, nullable=False),
)
version = Table("orrery_register", tables, Column("version", Integer, nullable=False))

_LOCK = 0x0221  # any number that nobody else locks in this database


def prepare(connection: Connection) -> None:
    """Make the tables, or make them anew where they are of another version.

    Raises:
        ValueError: They are of a newer version than this program knows.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    else:
        connection.execute(text("BEGIN IMMEDIATE"))  # one process at a time
    found = _version(connection)
    if found == VERSION:
        return
    if found is not None and found > VERSION:
        raise ValueError(
            f"the register of runs is of version {found}, this program knows {VERSION}: update "
            "it, or name another register in PLAYGROUND_STORE_URL"
        )
    tables.drop_all(connection)
    tables.create_all(connection)
    connection.execute(version.insert().values(version=VERSION))


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(version.name):
        return None
    found = connection.execute(select(version.c.version)).scalar()
    return None if found is None else int(found)
