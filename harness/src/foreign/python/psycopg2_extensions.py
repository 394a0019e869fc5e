"""A stand-in."""

from psycopg2 import Connection as connection  # noqa: F401
from tumbler_guest import refuse_attribute
from tumbler_sql import identifier

ISOLATION_LEVEL_AUTOCOMMIT, ISOLATION_LEVEL_READ_COMMITTED = 0, 1


def quote_ident(name, scope):
    return identifier(name).as_string()


__getattr__ = refuse_attribute("psycopg2.extensions")
