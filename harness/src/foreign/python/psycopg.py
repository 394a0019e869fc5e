"""A stand-in: psycopg 3, as far as a rotation needs it."""

from psycopg2 import (  # noqa: F401
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
    settings_of,
)
from psycopg2 import DRIVER as DRIVER
from tumbler_guest import Unsupported, refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Cursor as Rows
from tumbler_sql import needs_tls, wants_mapping

NEEDS_COMPOSED = ("ALTER", "CREATE", "DROP", "GRANT", "REVOKE", "SET")


class Cursor(Rows):
    def execute(self, operation, parameters=None, **kwargs):
        text = operation.as_string() if hasattr(operation, "as_string") else operation
        if parameters and text.split(None, 1)[0].upper() in NEEDS_COMPOSED:
            # The server binds parameters, and utility statements take none.
            raise ProgrammingError('syntax error at or near "$1"')
        return super().execute(operation, parameters)


class Connection(Session):
    closes = True

    def cursor(self, *args, **kwargs):
        return Cursor(self, self._mapping or wants_mapping(args, kwargs))


def connect(conninfo="", *, autocommit=False, row_factory=None, **settings):
    if "://" in conninfo:
        raise Unsupported("psycopg.connect with a URL: give keywords")
    told = settings_of(conninfo, settings)
    tls, prefer = needs_tls(told)
    value = DRIVER.connect(
        told.get("host"), told.get("port", 5432), told.get("user"), told.get("password"), told.get("dbname"), tls, prefer
    )
    connection = Connection(DRIVER, value, getattr(row_factory, "by_name", False))
    if autocommit:
        connection.autocommit = True
    return connection


__getattr__ = refuse_attribute("psycopg")
