"""A stand-in: PyMySQL."""

from tumbler_guest import Unsupported, refuse_attribute
from tumbler_sql import Connection as Session
from tumbler_sql import Driver, is_file, literal, shape_of


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
DRIVER = Driver(
    False,
    error,
    KINDS,
    lambda: ProgrammingError("Cursor closed"),
    lambda: InterfaceError(0, ""),
)
paramstyle, apilevel, threadsafety = "pyformat", "2.0", 1
VERSION, __version__ = (1, 1, 1, "final"), "1.1.1"


class Connection(Session):
    """`with` closes it, and does no more."""

    open = property(lambda self: not self.closed)
    user = host = db = None
    port = 3306

    def _set_autocommit(self, on):
        self._open()
        if bool(on) != self._autocommit:
            self._autocommit = bool(on)
            self._driver.ask("autocommit", connection=self._number, on=bool(on))

    def autocommit(self, on):
        self._set_autocommit(on)

    def get_autocommit(self):
        return self._autocommit

    def escape(self, value, mapping=None):
        return literal(value, False)

    def literal(self, value):
        return self.escape(value)

    def escape_string(self, text):
        return escape_string(text)

    def get_server_info(self):
        return self.server_version

    def get_host_info(self):
        return f"socket {self.host}:{self.port}"

    def begin(self):
        self._execute("BEGIN")

    def ping(self, reconnect=True):
        if self.closed:
            if not reconnect:
                raise Error("Already closed")
            told = self._again()
            self._number, self.closed = told["connection"], 0
        self._driver.ask("ping", connection=self._number)

    def select_db(self, name):
        raise Unsupported("`connection.select_db`: there is one database; name it in `connect`")

    def close(self):
        if self.closed:
            raise Error("Already closed")
        super().close()

    def __exit__(self, kind, error, trace):
        self.close()


def escape_string(text):
    return text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')


def connect(
    *,
    user=None,
    password="",
    host=None,
    database=None,
    unix_socket=None,
    port=0,
    charset="",
    collation=None,
    sql_mode=None,
    read_default_file=None,
    conv=None,
    use_unicode=True,
    client_flag=0,
    cursorclass=None,
    init_command=None,
    connect_timeout=10,
    read_default_group=None,
    autocommit=False,
    local_infile=False,
    max_allowed_packet=16777216,
    defer_connect=False,
    auth_plugin_map=None,
    read_timeout=None,
    write_timeout=None,
    bind_address=None,
    binary_prefix=False,
    program_name=None,
    server_public_key=None,
    ssl=None,
    ssl_ca=None,
    ssl_cert=None,
    ssl_disabled=None,
    ssl_key=None,
    ssl_key_password=None,
    ssl_verify_cert=None,
    ssl_verify_identity=None,
    compress=None,
    named_pipe=None,
    passwd=None,
    db=None,
):
    for name, given in (("unix_socket", unix_socket), ("read_default_file", read_default_file),
                        ("init_command", init_command), ("defer_connect", defer_connect)):
        if given:
            raise Unsupported(f"pymysql.connect with {name}: the stand-in connects by host and port, at once")
    port = port or 3306
    if type(port) is not int:
        raise ValueError("port should be of type int")
    authority = ssl_ca or (ssl.get("ca") if isinstance(ssl, dict) else None)
    tls = not ssl_disabled and bool(ssl or ssl_ca or ssl_cert or ssl_key or ssl_verify_cert or ssl_verify_identity)
    if tls and authority and not is_file(authority):
        raise FileNotFoundError(2, "No such file or directory")
    database, password = database or db, password or passwd or ""

    def again():
        return DRIVER.connect(host or "localhost", port, user, password, database, tls)

    connection = Connection(DRIVER, again(), shape_of((cursorclass,), {}))
    connection._again, connection.user, connection.host, connection.db, connection.port = again, user, host, database, port
    if autocommit:
        connection._set_autocommit(True)
    return connection


Connect = connect


def install_as_MySQLdb():
    import sys

    sys.modules["MySQLdb"] = sys.modules["_mysql"] = sys.modules["pymysql"]


__getattr__ = refuse_attribute("pymysql")
