"""A stand-in."""

from tumbler_guest import refuse_attribute


def escape_string(value, mapping=None):
    return value.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')


__getattr__ = refuse_attribute("pymysql.converters")
