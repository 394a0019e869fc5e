"""PostgreSQL by PyGreSQL."""

import re

import contract
import pg
import pgdb

TOLD = ("server does not support SSL", 'server common name ".+" does not match', "no pg_hba.conf entry for host")


def login(secret):
    """A connection, or None if nobody lets us in."""
    where = dict(host=secret["host"], port=int(secret.get("port", 5432)), database=secret.get("dbname") or "postgres")
    for tls in contract.transports(secret):
        mode = dict(sslmode="verify-full", sslrootcert=contract.CA_FILE) if tls else dict(sslmode="disable")
        try:
            return pgdb.connect(
                user=secret["username"], password=secret["password"], connect_timeout=5, **where, **mode
            )
        except pg.InternalError as error:
            told = [text for text in TOLD if re.search(text, error.args[0])]
            contract.logger.error("no connection to %s: %s", secret["host"], told)
    return None


def quoted(cursor, name):
    cursor.execute("SELECT quote_ident(%s)", (name,))
    return cursor.fetchone()[0]


def try_out(connection):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOW()")
            connection.commit()
    finally:
        connection.close()
