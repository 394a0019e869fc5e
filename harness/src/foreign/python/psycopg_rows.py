"""A stand-in: how rows are shaped."""

from tumbler_guest import refuse_attribute
from tumbler_sql import by_attribute, by_name


class dict_row:  # noqa: N801
    shape = staticmethod(by_name)


class namedtuple_row:  # noqa: N801
    shape = staticmethod(by_attribute)


class tuple_row:  # noqa: N801
    shape = None


__getattr__ = refuse_attribute("psycopg.rows")
