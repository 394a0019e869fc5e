"""A stand-in."""

from psycopg2 import Connection as connection  # noqa: F401
from tumbler_guest import refuse_attribute
from tumbler_sql import Cursor as cursor  # noqa: F401
from tumbler_sql import Identifier

ISOLATION_LEVEL_AUTOCOMMIT, ISOLATION_LEVEL_READ_COMMITTED = 0, 1
ISOLATION_LEVEL_REPEATABLE_READ, ISOLATION_LEVEL_SERIALIZABLE, ISOLATION_LEVEL_DEFAULT = 2, 3, None
TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_ACTIVE, TRANSACTION_STATUS_INTRANS = 0, 1, 2
TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_UNKNOWN = 3, 4
STATUS_READY, STATUS_BEGIN = 1, 2


def quote_ident(name, scope):
    return Identifier(name).as_string()


__getattr__ = refuse_attribute("psycopg2.extensions")
