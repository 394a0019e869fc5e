import contract
import multi
import mysql


def change(cursor, pending, current):
    user = pending["username"]
    cursor.execute("SELECT User FROM mysql.user WHERE User = %s", user)
    if cursor.rowcount == 0:
        cursor.execute("CREATE USER %s IDENTIFIED BY %s", (user, pending["password"]))
    cursor.execute("SHOW GRANTS FOR %s", current["username"])
    for row in cursor.fetchall():
        cursor.execute(row[0].split(" TO ")[0].replace("%", "%%") + " TO %s", (user,))
    cursor.execute("SELECT VERSION()")
    is_new = cursor.fetchone()[0].startswith("8")
    mysql.copy_tls(cursor, user, current["username"], "ALTER USER %s@'%%' REQUIRE")
    cursor.execute("SET PASSWORD FOR %s = " + ("%s" if is_new else "PASSWORD(%s)"), (user, pending["password"]))


def lambda_handler(event, context):
    contract.run(event, multi.rotation(mysql.login, change, mysql.try_out))
