"""A stand-in: cursors whose rows have names, and statements for many rows."""

from tumbler_guest import refuse_attribute
from tumbler_sql import NamedRow, by_attribute, by_name


class RealDictCursor:
    shape = staticmethod(by_name)


class DictCursor:
    shape = staticmethod(NamedRow)


class NamedTupleCursor:
    shape = staticmethod(by_attribute)


def execute_batch(cursor, sql, several, page_size=100):
    cursor.executemany(sql, several)


__getattr__ = refuse_attribute("psycopg2.extras")
