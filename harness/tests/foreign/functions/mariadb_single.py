import contract
import mysql
import single


def change(cursor, pending):
    cursor.execute("SET PASSWORD = PASSWORD(%s)", pending["password"])


def lambda_handler(event, context):
    contract.run(event, single.rotation(mysql.login, change, mysql.try_out))
