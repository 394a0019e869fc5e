"""MySQL and MariaDB by PyMySQL."""

import contract
import pymysql


def login(secret):
    """A connection, or None if nobody lets us in."""
    for tls in contract.transports(secret):
        try:
            return pymysql.connect(
                host=secret["host"], user=secret["username"], password=secret["password"],
                port=int(secret.get("port", 3306)), database=secret.get("dbname"), connect_timeout=5,
                ssl={"ca": contract.CA_FILE} if tls else None,
            )
        except pymysql.OperationalError as error:
            contract.logger.error("no connection to %s: %s", secret["host"], "certificate" in error.args[1])
    return None


def copy_tls(cursor, user, of, verb):
    cursor.execute("SELECT ssl_type, ssl_cipher, x509_issuer, x509_subject FROM mysql.user WHERE User = %s", of)
    kind, cipher, issuer, subject = cursor.fetchone()
    if kind in ("", "ANY", "X509"):
        cursor.execute(verb + {"": " NONE", "ANY": " SSL", "X509": " X509"}[kind], user)
    else:
        cursor.execute(verb + " CIPHER %s AND ISSUER %s AND SUBJECT %s", (user, cipher, issuer, subject))


def try_out(connection):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOW()")
            connection.commit()
    finally:
        connection.close()
