import contract
import multi
import mysql


def change(cursor, pending, current):
    user = pending["username"]
    cursor.execute("SHOW GRANTS FOR %s", current["username"])
    for row in cursor.fetchall():
        grant = row[0].split(" TO ")[0].replace("%", "%%")
        cursor.execute(grant + " TO %s IDENTIFIED BY %s", (user, pending["password"]))
    mysql.copy_tls(cursor, user, current["username"], "ALTER USER %s@'%%' REQUIRE")


def lambda_handler(event, context):
    contract.run(event, multi.rotation(mysql.login, change, mysql.try_out))
