"""What the stand-ins of database drivers share: connections, cursors, parameters."""

import datetime

from tumbler_guest import Unsupported, WorldError, call


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
    """How one driver differs: its errors, its dialect, its rows."""

    def __init__(self, postgres, error, kinds):
        self.postgres, self.error, self.kinds = postgres, error, kinds

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


class Cursor:
    arraysize = 1

    def __init__(self, connection, mapping=False):
        self.connection, self._mapping = connection, mapping
        self._rows, self._place, self.rowcount, self.description = [], 0, -1, None

    def _told(self, value):
        columns = value["columns"]
        rows = [tuple(shown(cell) for cell in row) for row in value["rows"]]
        self._rows = [dict(zip(columns, row)) for row in rows] if self._mapping else rows
        self._place, self.rowcount = 0, value["rowcount"]
        names = [(name, None, None, None, None, None, None) for name in columns]
        self.description = names or None

    def execute(self, operation, parameters=None, *args, **kwargs):
        driver = self.connection._driver
        text = operation.as_string(self.connection) if hasattr(operation, "as_string") else operation
        sql = bound(text, parameters, driver.postgres)
        self._told(driver.ask("execute", connection=self.connection._number, sql=sql))
        return self.rowcount if not driver.postgres else self

    def fetchone(self):
        if self._place >= len(self._rows):
            return None
        self._place += 1
        return self._rows[self._place - 1]

    def fetchall(self):
        rows, self._place = self._rows[self._place:], len(self._rows)
        return rows

    def fetchmany(self, size=None):
        size = size or self.arraysize
        rows = self._rows[self._place:self._place + size]
        self._place += len(rows)
        return rows

    def __iter__(self):
        return iter(self.fetchall())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        pass


class Connection:
    """A session. `with` commits, or rolls back on an error; some drivers close it too."""

    closes = False

    def __init__(self, driver, value, mapping=False):
        self._driver, self._number, self._mapping = driver, value["connection"], mapping
        self._autocommit, self.closed = False, 0
        self.server_version = value["version"]

    def cursor(self, *args, **kwargs):
        return Cursor(self, self._mapping or wants_mapping(args, kwargs))

    def execute(self, operation, parameters=None):
        return self.cursor().execute(operation, parameters)

    @property
    def autocommit(self):
        return self._autocommit

    @autocommit.setter
    def autocommit(self, on):
        self._set_autocommit(on)

    def _set_autocommit(self, on):
        self._autocommit = bool(on)
        self._driver.ask("autocommit", connection=self._number, on=bool(on))

    def commit(self):
        self._driver.ask("commit", connection=self._number)

    def rollback(self):
        self._driver.ask("rollback", connection=self._number)

    def close(self):
        if not self.closed:
            self.closed = 1
            self._driver.ask("close", connection=self._number)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.commit()
        elif kind is not GeneratorExit:
            try:
                self.rollback()
            except Exception:
                pass
        if self.closes:
            self.close()


def wants_mapping(args, kwargs):
    """Whether a cursor class, factory or row factory asks for rows by name."""
    asked = list(args) + list(kwargs.values())
    return any(getattr(each, "by_name", False) for each in asked)


def needs_tls(settings):
    """What libpq's `sslmode` means: (with TLS, or without if it fails)."""
    mode = settings.get("sslmode") or "prefer"
    if mode not in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
        raise Unsupported(f"sslmode={mode}: libpq has no such mode")
    return mode not in ("disable", "allow", "prefer"), mode == "prefer"


class Composable:
    """Pieces of SQL that psycopg and psycopg2 put together."""

    def __init__(self, text):
        self._text = text

    def as_string(self, context=None):
        return self._text

    def __add__(self, other):
        return Composable(self.as_string() + other.as_string())

    def join(self, parts):
        return Composable(self._text.join(part.as_string() for part in parts))

    def format(self, *args, **kwargs):
        texts = [each.as_string() for each in args]
        return Composable(self._text.format(*texts, **{name: each.as_string() for name, each in kwargs.items()}))


def identifier(*names):
    return Composable(".".join('"' + name.replace('"', '""') + '"' for name in names))


def as_literal(value):
    return Composable(literal(value, True))
