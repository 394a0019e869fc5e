"""A stand-in: PyMySQL."""

from tumbler_guest import refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Driver


class MySQLError(Exception):
    pass


class Warning(MySQLError):
    pass


class Error(MySQLError):
    pass


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


class InternalError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


def error(kind, told):
    return kind(int(told.code or 0), told.message)


KINDS = {"": OperationalError, "connect": OperationalError}
DRIVER = Driver(False, error, KINDS)
paramstyle, apilevel, threadsafety = "pyformat", "2.0", 1


class Connection(Session):
    closes = True
    open = property(lambda self: not self.closed)

    def autocommit(self, on):
        self._set_autocommit(on)

    def escape_string(self, text):
        return text.replace("\\", "\\\\").replace("'", "\\'")

    def get_server_info(self):
        return self.server_version

    def begin(self):
        pass

    def ping(self, reconnect=True):
        self.cursor().execute("SELECT 1")


def connect(host=None, user=None, password="", database=None, port=3306, ssl=None, **settings):
    cursor = settings.get("cursorclass")
    user, password = user or settings.get("username"), password or settings.get("passwd", "")
    tls = bool(ssl) or any(settings.get(name) for name in ("ssl_ca", "ssl_verify_cert", "ssl_verify_identity"))
    value = DRIVER.connect(host, port or 3306, user, password, database or settings.get("db"), tls)
    return Connection(DRIVER, value, getattr(cursor, "by_name", False))


__getattr__ = refuse_attribute("pymysql")
