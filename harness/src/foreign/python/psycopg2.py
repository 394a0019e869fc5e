"""A stand-in: psycopg2, as far as a rotation needs it."""

from tumbler_guest import refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Driver, needs_tls


class Warning(Exception):
    pass


class Error(Exception):
    pgcode = pgerror = None


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
DRIVER = Driver(True, error, KINDS)
paramstyle, apilevel, threadsafety = "pyformat", "2.0", 2


class Connection(Session):
    def set_session(self, autocommit=None, **settings):
        if autocommit is not None:
            self._set_autocommit(autocommit)

    def set_isolation_level(self, level):
        self._set_autocommit(level == 0)


def settings_of(dsn, settings):
    """Keyword settings, and those of a `key=value` text."""
    pairs = dict(part.split("=", 1) for part in (dsn or "").split())
    pairs.update({name: value for name, value in settings.items() if value is not None})
    return pairs


def connect(dsn=None, connection_factory=None, cursor_factory=None, **settings):
    told = settings_of(dsn, settings)
    tls, prefer = needs_tls(told)
    database = told.get("dbname") or told.get("database")
    value = DRIVER.connect(
        told.get("host"), told.get("port", 5432), told.get("user"), told.get("password"), database, tls, prefer
    )
    return Connection(DRIVER, value, getattr(cursor_factory, "by_name", False))


__getattr__ = refuse_attribute("psycopg2")
