"""A stand-in: the codes that the world gives."""

from tumbler_guest import refuse_attribute

DUPLICATE_OBJECT, UNDEFINED_OBJECT, INSUFFICIENT_PRIVILEGE = "42710", "42704", "42501"
IN_FAILED_SQL_TRANSACTION, SYNTAX_ERROR, INVALID_PASSWORD = "25P02", "42601", "28P01"
__getattr__ = refuse_attribute("psycopg2.errorcodes")
