"""A stand-in: psycopg2, as far as a rotation needs it."""

from tumbler_guest import refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Driver, needs_tls, no_root
from tumbler_sql import settings_of as settings_of
from tumbler_sql import shape_of


class Warning(Exception):
    pass


class Diagnostics:
    """What is known of an error."""

    severity = "ERROR"

    def __init__(self, error):
        self.message_primary, self.sqlstate = str(error), error.pgcode


class Error(Exception):
    pgcode = pgerror = cursor = None
    diag = property(Diagnostics)


class InterfaceError(Error):
    pass


class DatabaseError(Error):
    pass


class OperationalError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


class InternalError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


class DuplicateObject(ProgrammingError):
    pass


class UndefinedObject(ProgrammingError):
    pass


class InsufficientPrivilege(ProgrammingError):
    pass


class InFailedSqlTransaction(InternalError):
    pass


def error(kind, told):
    raised = kind(told.message)
    raised.pgcode = raised.sqlstate = None if kind is OperationalError else told.code
    raised.pgerror = told.message
    return raised


KINDS = {
    "connect": OperationalError,
    "connection": OperationalError,
    "aborted": InFailedSqlTransaction,
    "exists": DuplicateObject,
    "missing": UndefinedObject,
    "denied": InsufficientPrivilege,
    "": ProgrammingError,
}
DRIVER = Driver(
    True,
    error,
    KINDS,
    lambda: InterfaceError("cursor already closed"),
    lambda: InterfaceError("connection already closed"),
    lambda: ProgrammingError("no results to fetch"),
)
paramstyle, apilevel, threadsafety = "pyformat", "2.0", 2
__version__ = "2.9.9 (dt dec pq3 ext lo64)"


class Info:
    """Of a connection."""

    def __init__(self, connection):
        self.server_version = version_number(connection.server_version)
        self.transaction_status, self.status = connection.get_transaction_status(), 0
        self.dbname, self.user, self.host, self.port = connection._place


class Connection(Session):
    info = property(Info)
    _place = (None, None, None, None)

    def _in_transaction(self):
        return ProgrammingError("set_session cannot be used inside a transaction")

    def set_session(self, isolation_level=None, readonly=None, deferrable=None, autocommit=None):
        if autocommit is not None:
            self._set_autocommit(autocommit)

    def set_isolation_level(self, level):
        # It rolls back what is open, as the real one does.
        self.rollback()
        self._set_autocommit(level == 0)

    def get_transaction_status(self):
        return 2 if self._is_begun else 0


def version_number(text):
    """`PostgreSQL 16.4` as libpq counts it."""
    major, _, minor = text.split()[1].partition(".")
    return int(major) * 10000 + int(minor or 0)


def unknown(name):
    return ProgrammingError(f'invalid dsn: invalid connection option "{name}"\n')


def session(driver, kind, told, rows):
    """Connects as libpq would."""
    tls, prefer = needs_tls(told)
    root = no_root(told)
    if root:
        raise OperationalError(
            f'connection failed: root certificate file "{root}" does not exist\nEither provide the file, use the '
            "system's trusted roots with sslrootcert=system, or change sslmode to disable server certificate verification."
        )
    database, port = told.get("dbname") or told.get("database"), told.get("port", 5432)
    place = (told.get("host"), port, told.get("user"), told.get("password"), database)
    connection = kind(driver, driver.connect(*place, tls, prefer), rows)
    connection._place = (database, told.get("user"), told.get("host"), port)
    return connection


def connect(dsn=None, connection_factory=None, cursor_factory=None, **settings):
    told = settings_of(dsn, settings, unknown)
    return session(DRIVER, Connection, told, shape_of((cursor_factory,), {}))


__getattr__ = refuse_attribute("psycopg2")
