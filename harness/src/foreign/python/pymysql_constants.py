"""A stand-in: numbers by name."""

from tumbler_guest import refuse_attribute


class ER:
    ACCESS_DENIED_ERROR, CANNOT_USER, PARSE_ERROR, DUP_ENTRY = 1045, 1396, 1064, 1062
    NONEXISTING_GRANT, SPECIFIC_ACCESS_DENIED_ERROR = 1141, 1227


class CR:
    CR_SERVER_GONE_ERROR, CR_SERVER_LOST, CR_CONN_HOST_ERROR = 2006, 2013, 2003


class CLIENT:
    MULTI_STATEMENTS, FOUND_ROWS, SSL = 1 << 16, 1 << 1, 1 << 11


__getattr__ = refuse_attribute("pymysql.constants")
