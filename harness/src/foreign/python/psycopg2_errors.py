"""A stand-in."""

from psycopg2 import (  # noqa: F401
    DuplicateObject,
    InFailedSqlTransaction,
    InsufficientPrivilege,
    OperationalError,
    UndefinedObject,
)
from tumbler_guest import refuse_attribute

__getattr__ = refuse_attribute("psycopg2.errors")
