"""A stand-in: how rows are shaped; all rows are fetched at once."""

from tumbler_guest import refuse_attribute
from tumbler_sql import by_name


class Cursor:
    shape = None


class DictCursor(Cursor):
    shape = staticmethod(by_name)


class SSCursor(Cursor):
    pass


class SSDictCursor(DictCursor):
    pass


__getattr__ = refuse_attribute("pymysql.cursors")
