"""A stand-in: cursors whose rows are mappings."""

from tumbler_guest import refuse_attribute


class Cursor:
    by_name = False


class DictCursor:
    by_name = True


__getattr__ = refuse_attribute("pymysql.cursors")
