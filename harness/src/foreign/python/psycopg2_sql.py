"""A stand-in: statements put together."""

from tumbler_guest import refuse_attribute
from tumbler_sql import Composable, as_literal, identifier

SQL, Identifier, Literal, Composed = Composable, identifier, as_literal, Composable
__getattr__ = refuse_attribute("psycopg2.sql")
