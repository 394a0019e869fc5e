"""What the stand-ins of database drivers share: connections, cursors, parameters."""

import collections
import datetime
import os

from tumbler_guest import Unsupported, WorldError, call, refuse_missing


def literal(value, postgres):
    """A value as the driver would write it into a statement."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, datetime.datetime):
        value = value.isoformat(" ")
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(literal(each, postgres) for each in value) + ")"
    if hasattr(value, "as_string"):
        return value.as_string()
    if not isinstance(value, str):
        raise Unsupported(f"a parameter of the type {type(value).__name__}: give text or a number")
    if not postgres:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    quoted = "'" + value.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in quoted else quoted


def bound(statement, parameters, postgres):
    if parameters is None or parameters == () and postgres:
        return statement
    if isinstance(parameters, dict):
        return statement % {name: literal(value, postgres) for name, value in parameters.items()}
    if not isinstance(parameters, (list, tuple)):
        parameters = (parameters,)
    return statement % tuple(literal(value, postgres) for value in parameters)


def shown(value):
    if isinstance(value, dict) and "timestamp" in value:
        return datetime.datetime.utcfromtimestamp(value["timestamp"] / 1000)
    return value


class Driver:
    """How one driver differs: its errors, its dialect, what it says of things that are closed."""

    def __init__(self, postgres, error, kinds, cursor_closed=None, connection_closed=None, no_result=None):
        self.postgres, self.error, self.kinds = postgres, error, kinds
        self.cursor_closed, self.connection_closed, self.no_result = cursor_closed, connection_closed, no_result

    def ask(self, op, **args):
        try:
            return call(f"sql.{op}", **args)
        except WorldError as error:
            raise self.error(self.kinds.get(error.kind, self.kinds[""]), error) from None

    def connect(self, host, port, user, password, database, tls, prefer=False):
        """Opens a session; with `prefer`, without TLS if the handshake fails, as the C library does."""
        tries = (True, False) if prefer else (tls,)
        for tls in tries:
            try:
                return call(
                    "sql.connect", host=host, port=int(port), user=user, password=password, database=database, tls=tls
                )
            except WorldError as error:
                if tls is not tries[-1] and error.kind == "connection" and "SSL" in error.message:
                    continue
                raise self.error(self.kinds["connect"], error) from None


Column = collections.namedtuple("Column", "name type_code display_size internal_size precision scale null_ok")


class NamedRow(list):
    """A row that has numbers and names."""

    def __init__(self, columns, row):
        super().__init__(row)
        self._columns = columns

    def __getitem__(self, key):
        return super().__getitem__(self._columns.index(key) if isinstance(key, str) else key)

    def get(self, key, otherwise=None):
        return self[key] if key in self._columns else otherwise

    def keys(self):
        return list(self._columns)

    def values(self):
        return list(self)

    def items(self):
        return list(zip(self._columns, self))


def by_name(columns, row):
    return dict(zip(columns, row))


def by_attribute(columns, row):
    return collections.namedtuple("Record", columns)(*row)


# What a real cursor or connection has, and these have not: refused by name. Any other name is nobody's.
CURSORS = """
callproc copy copy_expert copy_from copy_to nextset scroll setinputsizes setoutputsize stream binary_types cast itersize
name scrollable tzinfo_factory typecaster warning_count max_stmt_length row_factory withhold
"""
CONNECTIONS = """
backend_pid cancel fileno get_backend_pid get_dsn_parameters get_native_connection get_parameter_status get_proto_info
isexecuting lobject poll protocol_version set_client_encoding tpc_begin tpc_commit tpc_prepare tpc_recover tpc_rollback
xid add_notice_handler add_notify_handler notifies pipeline pgconn transaction wait kill show_warnings insert_id
affected_rows next_result query set_charset set_character_set store_result thread_id use_result warning_count
character_set_name isolation_level deferrable readonly encoding cursor_factory dsn
"""


class Cursor:
    arraysize = 1
    lastrowid = None

    def __init__(self, connection, rows=None):
        self.connection, self._shape = connection, rows
        self._rows, self._place, self.rowcount, self.description = [], 0, -1, None
        self.closed, self.query, self.statusmessage = False, None, None

    __getattr__ = refuse_missing("cursor", CURSORS)

    def _told(self, value):
        columns = value["columns"]
        rows = [tuple(shown(cell) for cell in row) for row in value["rows"]]
        self._rows = [self._shape(columns, row) for row in rows] if self._shape else rows
        self._place, self.rowcount = 0, value["rowcount"]
        self.description = [Column(name, None, None, None, None, None, None) for name in columns] or None

    def _open(self):
        driver = self.connection._driver
        if self.closed and driver.cursor_closed:
            raise driver.cursor_closed()
        self.connection._open()
        return driver

    def mogrify(self, operation, parameters=None):
        text = operation.as_string() if hasattr(operation, "as_string") else operation
        sql = bound(text, parameters, self.connection._driver.postgres)
        return sql.encode() if self.connection._driver.postgres else sql

    def execute(self, operation, parameters=None, *args, **kwargs):
        driver = self._open()
        text = operation.as_string() if hasattr(operation, "as_string") else operation
        if isinstance(text, bytes):
            text = text.decode()
        sql = bound(text, parameters, driver.postgres)
        self.query = sql.encode()
        self._rows, self._place, self.description = [], 0, None
        self._told(self.connection._execute(sql))
        words = sql.split(None, 2)
        self.statusmessage = " ".join(words[:2]).upper() if words[0].upper() != "SELECT" else f"SELECT {self.rowcount}"
        if driver.postgres and self.description is None and words[0].upper() not in ("INSERT", "UPDATE", "DELETE"):
            self.rowcount = -1
        return self._returned()

    def _returned(self):
        return None if self.connection._driver.postgres else self.rowcount

    def executemany(self, operation, several, *args, **kwargs):
        for parameters in several:
            self.execute(operation, parameters)
        return self._returned()

    @property
    def rownumber(self):
        return self._place

    def _result(self):
        driver = self._open()
        if self.description is None and driver.no_result:
            raise driver.no_result()

    def fetchone(self):
        self._result()
        if self._place >= len(self._rows):
            return None
        self._place += 1
        return self._rows[self._place - 1]

    def fetchall(self):
        self._result()
        rows, self._place = self._rows[self._place:], len(self._rows)
        return rows

    def fetchmany(self, size=None):
        self._result()
        size = size or self.arraysize
        rows = self._rows[self._place:self._place + size]
        self._place += len(rows)
        return rows

    def __iter__(self):
        return self

    def __next__(self):
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.closed = True


class Connection:
    """A session. Of a PostgreSQL driver, it begins a transaction with a statement, and has nothing to say to the
    server when there is none to end; that there is to be none travels with the statement."""

    closes = False
    cursors = Cursor
    status, notices = 1, ()

    def __init__(self, driver, value, rows=None):
        self._driver, self._number, self._shape = driver, value["connection"], rows
        self._autocommit, self.closed, self._is_begun, self._is_with = False, 0, False, False
        self.server_version = value["version"]

    __getattr__ = refuse_missing("connection", CONNECTIONS)

    def _open(self):
        if self.closed and self._driver.connection_closed:
            raise self._driver.connection_closed()

    def cursor(self, *args, **kwargs):
        self._open()
        return self.cursors(self, shape_of(args, kwargs) or self._shape)

    def _execute(self, sql):
        if not self._driver.postgres:
            return self._driver.ask("execute", connection=self._number, sql=sql)
        if self._autocommit and not self._is_with:
            return self._driver.ask("execute", connection=self._number, sql=sql, autocommit=True)
        self._is_begun = True
        return self._driver.ask("execute", connection=self._number, sql=sql, autocommit=False)

    @property
    def autocommit(self):
        return self._autocommit

    @autocommit.setter
    def autocommit(self, on):
        self._set_autocommit(on)

    def _set_autocommit(self, on):
        self._open()
        if self._is_begun and bool(on) != self._autocommit:
            raise self._in_transaction()
        self._autocommit = bool(on)

    def _end(self, op):
        self._open()
        if self._is_begun or not self._driver.postgres:
            self._is_begun = False
            self._driver.ask(op, connection=self._number)

    def commit(self):
        self._end("commit")

    def rollback(self):
        self._end("rollback")

    def reset(self):
        self.rollback()

    def close(self):
        if not self.closed:
            self.closed, self._is_begun = 1, False
            self._driver.ask("close", connection=self._number)

    def __enter__(self):
        self._open()
        self._is_with = True
        return self

    def __exit__(self, kind, error, trace):
        self._is_with = False
        if kind is None:
            self.commit()
        elif kind is not GeneratorExit:
            try:
                self.rollback()
            except Exception:
                pass
        if self.closes:
            self.close()


def shape_of(args, kwargs):
    """How a cursor class, factory or row factory shapes a row; none: as a tuple."""
    for each in (*args, *kwargs.values()):
        if getattr(each, "shape", None):
            return each.shape.__func__ if hasattr(each.shape, "__func__") else each.shape
    return None


# Files that are there where functions run, whatever is here.
BUNDLES = ("/etc/pki/", "/etc/ssl/", "/opt/", "/var/runtime/")


def is_file(path):
    return str(path).startswith(BUNDLES) or os.path.isfile(path) or os.path.isfile(os.path.join(os.environ["LAMBDA_TASK_ROOT"], path))


def needs_tls(settings):
    """What libpq's `sslmode` means: (with TLS, or without if it fails)."""
    mode = settings.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    if mode not in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
        raise Unsupported(f"sslmode={mode}: libpq has no such mode")
    return mode not in ("disable", "allow", "prefer"), mode == "prefer"


def no_root(settings):
    """The certificates that libpq would not find, if it asks for any."""
    mode = settings.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    root = settings.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or "~/.postgresql/root.crt"
    return None if mode not in ("verify-ca", "verify-full") or root == "system" or is_file(root) else root


LIBPQ = set(
    "host hostaddr port dbname database user password passfile channel_binding require_auth connect_timeout "
    "client_encoding options application_name fallback_application_name keepalives keepalives_idle "
    "keepalives_interval keepalives_count tcp_user_timeout replication gssencmode sslmode requiressl sslcompression "
    "sslcert sslkey sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version "
    "ssl_max_protocol_version krbsrvname gsslib gssdelegation service target_session_attrs load_balance_hosts".split()
)


def settings_of(dsn, settings, refuse):
    """Keyword settings, and those of a `key=value` text or a URL; `refuse` makes the error for one that is unknown."""
    dsn = dsn or ""
    if dsn.startswith(("postgresql://", "postgres://")):
        import urllib.parse as url

        parts = url.urlsplit(dsn)
        pairs = {name: values[-1] for name, values in url.parse_qs(parts.query).items()}
        found = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
        found["dbname"] = parts.path.lstrip("/")
        pairs.update({name: url.unquote(str(value)) for name, value in found.items() if value})
    else:
        import shlex

        pairs = dict(part.split("=", 1) for part in shlex.split(dsn))
    pairs.update({name: value for name, value in settings.items() if value is not None})
    for name in pairs:
        if name not in LIBPQ:
            raise refuse(name)
    return pairs


class Composable:
    """Pieces of SQL that psycopg and psycopg2 put together."""

    def __init__(self, text):
        self._text = text

    def as_string(self, context=None):
        return self._text

    def __add__(self, other):
        return Composed([self, other])

    def __mul__(self, count):
        return Composed([self] * count)


class SQL(Composable):
    @property
    def string(self):
        return self._text

    def join(self, parts):
        return Composed([SQL(self._text.join(part.as_string() for part in parts))])

    def format(self, *args, **kwargs):
        def text(each):
            return each.as_string() if hasattr(each, "as_string") else literal(each, True)

        return Composed([SQL(self._text.format(*map(text, args), **{name: text(each) for name, each in kwargs.items()}))])


class Composed(Composable):
    def __init__(self, parts):
        self.seq = list(parts)
        super().__init__("".join(part.as_string() for part in self.seq))

    def __iter__(self):
        return iter(self.seq)

    def join(self, joiner):
        joiner = joiner.as_string() if hasattr(joiner, "as_string") else joiner
        return Composed([SQL(joiner.join(part.as_string() for part in self.seq))])


class Identifier(Composable):
    def __init__(self, *names):
        self.strings = names
        super().__init__(".".join('"' + name.replace('"', '""') + '"' for name in names))


class Literal(Composable):
    def __init__(self, value):
        self.wrapped = value
        super().__init__(literal(value, True))


class Placeholder(Composable):
    def __init__(self, name=None):
        self.name = name
        super().__init__(f"%({name})s" if name else "%s")
