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
from tumbler_sql import Cursor, Driver, needs_tls  # noqa: F401


def error(kind, told):
    raised = kind(told.message)
    raised.sqlstate = told.code
    return raised


KINDS = {"connect": InternalError, "connection": OperationalError, "aborted": InternalError, "": ProgrammingError}
DRIVER = Driver(True, error, KINDS)
paramstyle, apilevel, threadsafety = "pyformat", "2.0", 1


class Connection(Session):
    pass


def connect(dsn=None, user=None, password=None, host=None, database=None, **settings):
    if dsn is not None:
        return refuse_attribute("pgdb.connect")("dsn")
    name, _, port = (host or "").partition(":")
    tls, prefer = needs_tls(settings)
    database = database or settings.get("dbname")
    port = settings.get("port") or port or 5432
    return Connection(DRIVER, DRIVER.connect(name, port, user, password, database, tls, prefer))


__getattr__ = refuse_attribute("pgdb")
