"""A stand-in: statements put together."""

from tumbler_guest import refuse_attribute
from tumbler_sql import SQL, Composable, Composed, Identifier, Literal, Placeholder  # noqa: F401

NULL, DEFAULT = SQL("NULL"), SQL("DEFAULT")
__getattr__ = refuse_attribute("psycopg2.sql")
