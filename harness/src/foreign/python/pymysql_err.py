"""A stand-in."""

from pymysql import (  # noqa: F401
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    MySQLError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from tumbler_guest import refuse_attribute

__getattr__ = refuse_attribute("pymysql.err")
