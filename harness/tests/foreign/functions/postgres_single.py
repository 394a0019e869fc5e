import contract
import postgres
import single


def change(cursor, pending):
    user = postgres.quoted(cursor, pending["username"])
    cursor.execute("ALTER USER " + user + " WITH PASSWORD %s", (pending["password"],))


def lambda_handler(event, context):
    contract.run(event, single.rotation(postgres.login, change, postgres.try_out))
