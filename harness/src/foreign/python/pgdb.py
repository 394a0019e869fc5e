"""A stand-in: PyGreSQL's DB-API."""

from pg import (  # noqa: F401
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from tumbler_guest import refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Cursor, Driver, needs_tls, no_root


def error(kind, told):
    raised = kind(told.message)
    raised.sqlstate = told.code
    return raised


KINDS = {"connect": InternalError, "connection": OperationalError, "aborted": InternalError, "": ProgrammingError}
DRIVER = Driver(
    True,
    error,
    KINDS,
    lambda: OperationalError("Cursor has been closed"),
    lambda: OperationalError("Connection has been closed"),
    lambda: DatabaseError("No result set"),
)
paramstyle, apilevel, threadsafety = "pyformat", "2.0", 1


class Rows(Cursor):
    def _returned(self):
        return self


class Connection(Session):
    cursors = Rows

    def _in_transaction(self):
        return OperationalError("autocommit cannot be changed inside a transaction")


def connect(dsn=None, user=None, password=None, host=None, database=None, **settings):
    if dsn is not None:
        return refuse_attribute("pgdb.connect")("dsn")
    name, _, port = (host or "").partition(":")
    tls, prefer = needs_tls(settings)
    if no_root(settings):
        raise InternalError(f'root certificate file "{no_root(settings)}" does not exist')
    database = database or settings.get("dbname")
    port = settings.get("port") or port or 5432
    return Connection(DRIVER, DRIVER.connect(name, port, user, password, database, tls, prefer))


__getattr__ = refuse_attribute("pgdb")
