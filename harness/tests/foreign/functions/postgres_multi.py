import contract
import multi
import postgres


def change(cursor, pending, current):
    user, base = postgres.quoted(cursor, pending["username"]), postgres.quoted(cursor, current["username"])
    cursor.execute("SELECT 1 FROM pg_roles where rolname = %s", (pending["username"],))
    if len(cursor.fetchall()) == 0:
        cursor.execute("CREATE ROLE " + user + " WITH LOGIN PASSWORD %s", (pending["password"],))
        cursor.execute("GRANT %s TO %s" % (base, user))
    else:
        cursor.execute("ALTER USER " + user + " WITH PASSWORD %s", (pending["password"],))


def lambda_handler(event, context):
    contract.run(event, multi.rotation(postgres.login, change, postgres.try_out))
