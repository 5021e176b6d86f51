"""The register of runs: what there is, whose it is, how well it did; found without opening files.

By default a SQLite file beside the runs; `PLAYGROUND_STORE_URL` names a Postgres server that
several playgrounds share. Folders stay the truth: the register is compared with them whenever
runs are listed, and made anew from them when it is lost.
"""

from __future__ import annotations

import functools
import logging
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

from sqlalchemy import Connection, Engine, Row, create_engine, delete, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import NullPool

from engine.optional import need
from engine.store import folder, schema
from engine.store.folder import ENDED, KeptRun
from engine.store.home import home, run_folder

FILE = "register.sqlite"
PATIENCE = 10.0  # seconds that one process waits for another to finish writing
_FIELDS = tuple(one.name for one in fields(KeptRun))

_log = logging.getLogger(__name__)


class Register:
    """An index of the runs that are kept in one home, and of those that other homes share with it.

    Args:
        url: Where the register is, as SQLAlchemy writes it; a file in the home if None.

    Raises:
        ValueError: It cannot be opened; says what to do.
    """

    def __init__(self, url: str | None = None) -> None:
        self._root = home()
        self.home = f"{platform.node()}:{self._root}"
        self._file = None if url else self._root / FILE
        self._url = _url(url) if url else make_url(f"sqlite:///{self._root / FILE}")
        self._engine = _engine(self._url)
        try:
            self._prepare()
        except OperationalError as error:
            raise self._unreachable(error) from error
        except DatabaseError:
            if self._file is None:
                raise
            self._put_aside()
            self._prepare()

    def runs(self, owner: str | None = None) -> list[KeptRun]:
        """The runs of an owner, newest first; of everybody if None."""
        self.compare_with_folders()
        wanted = select(schema.runs).order_by(schema.runs.c.created.desc(), schema.runs.c.id)
        if owner is not None:
            wanted = wanted.where(schema.runs.c.owner == owner)
        with self._begin() as connection:
            return [_run(row) for row in connection.execute(wanted)]

    def find(self, id: str, owner: str | None = None) -> KeptRun:
        """The run of that id, as its folder tells it now.

        Raises:
            LookupError: There is none, or it is somebody else's.
        """
        found = self.note(id) or self._elsewhere(id)
        if found is None or (owner is not None and found.owner != owner):
            raise LookupError(f"no kept run {id!r:.80} of yours; the page Runs names them")
        return found

    def note(self, id: str) -> KeptRun | None:
        """Read a run's folder and write down what it says; None where nothing is kept."""
        found = folder.read(run_folder(id))
        if found is None:
            self._drop([id])
            return None
        with self._begin() as connection:
            self._write(connection, [found])
        return found

    def rename(self, id: str, name: str, owner: str | None = None) -> KeptRun:
        """Call a run something else.

        Raises:
            LookupError: There is no such run of that owner, or its files are elsewhere.
            ValueError: The name is none.
        """
        good = folder.good_name(name)
        self.find(id, owner)
        folder.label(self.folder(id), name=good)
        return self.find(id, owner)

    def claim(self, id: str, owner: str, name: str = "") -> None:
        """Give a run that is nobody's to an owner; whoever knows its id may have it."""
        found = self.note(id)
        if found is None or found.owner:
            return
        told = {"owner": owner, **({"name": name} if name and name.isprintable() else {})}
        folder.label(self.folder(id), **told)
        self.note(id)

    def delete(self, id: str, owner: str | None = None) -> int:
        """Let a run go, with all its files; how many bytes that frees.

        Raises:
            LookupError: There is no such run of that owner, or its files are elsewhere.
            ValueError: It still goes on.
        """
        found = self.find(id, owner)
        if not found.over:
            raise ValueError(f"{found.name} is {found.state}; stop it first, then delete it")
        gone = self._root / "deleted" / f"{id}-{time.time_ns()}"
        gone.parent.mkdir(exist_ok=True)
        self.folder(id).replace(gone)  # at once, so that nobody reads half a run
        self._drop([id])
        shutil.rmtree(gone)
        return found.size

    def folder(self, id: str) -> Path:
        """Where a run's files are.

        Raises:
            LookupError: They are not on this machine.
        """
        place = run_folder(id)
        if not place.is_dir():
            raise LookupError(f"the files of run {id!r:.80} are not in {self._root}")
        return place

    def compare_with_folders(self) -> None:
        """Take in folders that are not known, forget those that are gone, look at what goes on."""
        columns = schema.runs.c
        wanted = select(columns.id, columns.state).where(columns.home == self.home)
        with self._begin() as connection:
            known = {row.id: row.state for row in connection.execute(wanted)}
        place = self._root / "runs"
        there = {one.name for one in os.scandir(place) if one.is_dir()} if place.is_dir() else set()
        going = {id for id, state in known.items() if state not in ENDED}
        read = [_read(id) for id in (there - set(known)) | (going & there)]
        kept = [one for one in read if one is not None]
        with self._begin() as connection:
            self._write(connection, kept)
        self._drop(sorted((set(known) - there) | (going - {one.id for one in kept})))

    def _elsewhere(self, id: str) -> KeptRun | None:
        """A run whose files another machine holds."""
        wanted = select(schema.runs).where(schema.runs.c.id == id, schema.runs.c.home != self.home)
        with self._begin() as connection:
            row = connection.execute(wanted).first()
        return None if row is None else _run(row)

    def _write(self, connection: Connection, found: list[KeptRun]) -> None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        for one in found:
            values = {**asdict(one), "home": self.home}
            put = dialect.insert(schema.runs).values(values)
            connection.execute(put.on_conflict_do_update(index_elements=["id"], set_=values))

    def _drop(self, ids: list[str]) -> None:
        if not ids:
            return
        columns = schema.runs.c
        with self._begin() as connection:
            connection.execute(
                delete(schema.runs).where(columns.id.in_(ids), columns.home == self.home)
            )

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        """A transaction.

        Raises:
            ValueError: The register cannot be reached.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise self._unreachable(error) from error

    def _prepare(self) -> None:
        with self._engine.begin() as connection:
            schema.prepare(connection)

    def _put_aside(self) -> None:
        """What is no database is kept under another name and made anew from the folders."""
        broken = self._root / f"{FILE}.broken"
        (self._root / FILE).replace(broken)
        for rest in ("-wal", "-shm"):
            (self._root / f"{FILE}{rest}").unlink(missing_ok=True)
        _log.warning("the register of runs was no database and is made anew; see %s", broken)

    def _unreachable(self, error: OperationalError) -> ValueError:
        words = str(error.orig).strip().partition("\n")[0]
        where = self._url.render_as_string(hide_password=True)
        return ValueError(f"the register of runs at {where} cannot be used: {words}")


def register() -> Register:
    """The register of this home, or the one that `PLAYGROUND_STORE_URL` names.

    Raises:
        ValueError: It cannot be opened; says what to do.
    """
    return _opened(os.environ.get("PLAYGROUND_STORE_URL", ""), str(home()))


@functools.lru_cache(maxsize=4)
def _opened(url: str, _home: str) -> Register:
    return Register(url or None)


def _read(id: str) -> KeptRun | None:
    try:
        return folder.read(run_folder(id))
    except (LookupError, OSError):
        return None  # no run's folder, or gone meanwhile


def _run(row: Row[tuple[object, ...]]) -> KeptRun:
    return KeptRun(**{name: getattr(row, name) for name in _FIELDS})


def _url(text: str) -> URL:
    """An address of a Postgres server or of a SQLite file.

    Raises:
        ValueError: It is none, or the package for it is missing.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError(
            "PLAYGROUND_STORE_URL: must look like postgresql+psycopg://user:password@host/database"
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "postgresql+psycopg":
        need("psycopg", "A register on a Postgres server", "requirements-postgres.txt")
    elif url.get_backend_name() != "sqlite":
        raise ValueError(
            "PLAYGROUND_STORE_URL: must begin with postgresql+psycopg or sqlite; got "
            f"{url.drivername!r:.40}"
        )
    return url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=2)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: object, _record: object) -> None:
    """Readers and one writer at a time, in any number of processes."""
    cursor = connection.cursor()  # type: ignore[attr-defined] # of Python's sqlite3
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
