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
    error,
    session,
    unknown,
    KINDS,
)
from tumbler_guest import refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Cursor as Rows
from tumbler_sql import Driver, settings_of, shape_of

DRIVER = Driver(
    True,
    error,
    KINDS,
    lambda: InterfaceError("the cursor is closed"),
    lambda: OperationalError("the connection is closed"),
    lambda: ProgrammingError("the last operation didn't produce a result"),
)
paramstyle, apilevel, threadsafety, __version__ = "pyformat", "2.0", 2, "3.2.1"
NEEDS_COMPOSED = ("ALTER", "CREATE", "DROP", "GRANT", "REVOKE", "SET")


class Cursor(Rows):
    def execute(self, operation, parameters=None, **kwargs):
        text = operation.as_string() if hasattr(operation, "as_string") else operation
        if parameters and text.split(None, 1)[0].upper() in NEEDS_COMPOSED:
            # The server binds parameters, and utility statements take none.
            raise ProgrammingError('syntax error at or near "$1"')
        return super().execute(operation, parameters)

    def _returned(self):
        return self


class Connection(Session):
    closes = True
    cursors = Cursor

    def _in_transaction(self):
        return ProgrammingError(
            "can't change 'autocommit' now: connection in transaction status INTRANS"
        )

    def execute(self, operation, parameters=None, **kwargs):
        return self.cursor().execute(operation, parameters)

    def set_autocommit(self, on):
        self._set_autocommit(on)

    @classmethod
    def connect(cls, *args, **settings):
        return connect(*args, **settings)


def connect(conninfo="", *, autocommit=False, row_factory=None, cursor_factory=None, prepare_threshold=5, context=None,
            **settings):
    told = settings_of(conninfo, settings, unknown)
    connection = session(DRIVER, Connection, told, shape_of((row_factory, cursor_factory), {}))
    connection.autocommit = autocommit
    return connection


__getattr__ = refuse_attribute("psycopg")
