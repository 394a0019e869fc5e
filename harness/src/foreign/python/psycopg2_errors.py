"""A stand-in."""

from psycopg2 import (  # noqa: F401
    DuplicateObject,
    InFailedSqlTransaction,
    InsufficientPrivilege,
    OperationalError,
    UndefinedObject,
)
from tumbler_guest import refuse_attribute

CODES = {
    "42710": DuplicateObject,
    "42704": UndefinedObject,
    "42501": InsufficientPrivilege,
    "25P02": InFailedSqlTransaction,
}
__getattr__ = refuse_attribute("psycopg2.errors")


def lookup(code):
    return CODES[code] if code in CODES else __getattr__(f"lookup({code!r})")
