import contract
import mysql
import single


def change(cursor, pending):
    cursor.execute("SELECT VERSION()")
    is_new = cursor.fetchone()[0].startswith("8")
    cursor.execute("SET PASSWORD = " + ("%s" if is_new else "PASSWORD(%s)"), pending["password"])


def lambda_handler(event, context):
    contract.run(event, single.rotation(mysql.login, change, mysql.try_out))
