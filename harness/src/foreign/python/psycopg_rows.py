"""A stand-in: rows by name."""

from tumbler_guest import refuse_attribute


class dict_row:  # noqa: N801
    by_name = True


class tuple_row:  # noqa: N801
    by_name = False


__getattr__ = refuse_attribute("psycopg.rows")
