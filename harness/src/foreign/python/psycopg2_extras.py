"""A stand-in: cursors whose rows are mappings."""

from tumbler_guest import refuse_attribute


class RealDictCursor:
    by_name = True


DictCursor = RealDictCursor
__getattr__ = refuse_attribute("psycopg2.extras")
