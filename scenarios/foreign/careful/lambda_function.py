"""A careful rotation: two users take turns, and every step may be repeated, cut short or come late.

What makes it careful is said where it is done. It speaks to PostgreSQL, MySQL and MariaDB.
"""

import json

import boto3

EXCLUDED = "/@\"'\\"
# There where functions run.
AUTHORITIES = "/etc/pki/tls/cert.pem"


def lambda_handler(event, context):
    client = boto3.client("secretsmanager")
    arn, token = event["SecretId"], event["ClientRequestToken"]
    # Read once: what the guard below allows is what finish will act upon. Reading again would let a
    # newer version in between, and this token would replace it.
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    labels = stages.get(token, [])
    if "AWSCURRENT" in labels:
        return
    if "AWSPENDING" not in labels:
        raise ValueError("this version is not the pending one: an old invocation, or one too many")
    current = next(version for version, names in stages.items() if "AWSCURRENT" in names)
    STEPS[event["Step"]](client, arn, token, current)


def create_secret(client, arn, token, current):
    try:
        read(client, arn, token, "AWSPENDING")
        return
    except client.exceptions.ResourceNotFoundException:
        pass
    secret = read(client, arn, current, "AWSCURRENT")
    secret["username"] = other(secret["username"])
    drawn = client.get_random_password(PasswordLength=32, ExcludeCharacters=EXCLUDED)
    secret["password"] = drawn["RandomPassword"]
    try:
        client.put_secret_value(
            SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(secret), VersionStages=["AWSPENDING"]
        )
    except client.exceptions.ResourceExistsException:
        # A second delivery was faster. What it stored is as good.
        pass


def set_secret(client, arn, token, current):
    pending = read(client, arn, token, "AWSPENDING")
    active = read(client, arn, current, "AWSCURRENT")
    if pending["username"] == active["username"]:
        raise ValueError("the pending user is the one in use")
    master = read(client, pending["masterarn"], None, "AWSCURRENT")
    connection = connect(dict(pending, username=master["username"], password=master["password"]))
    try:
        with connection.cursor() as cursor:
            if pending["engine"] == "postgres":
                set_postgres(cursor, pending)
            else:
                set_mysql(cursor, pending, active["username"])
        connection.commit()
    finally:
        connection.close()


def set_postgres(cursor, pending):
    user, base = quoted(pending["username"]), quoted(base_of(pending["username"]))
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (pending["username"],))
    verb = "ALTER" if cursor.fetchall() else "CREATE"
    cursor.execute(f"{verb} ROLE {user} WITH LOGIN PASSWORD %s", (pending["password"],))
    if user != base:
        cursor.execute(f"GRANT {base} TO {user}")


def set_mysql(cursor, pending, active):
    """Nothing here is a transaction, so the password comes last: without it nobody is let in yet."""
    user = pending["username"]
    cursor.execute("SELECT User FROM mysql.user WHERE User = %s", (user,))
    if not cursor.fetchall():
        cursor.execute("CREATE USER %s IDENTIFIED BY %s", (user, pending["password"]))
    # Also when the user exists: an earlier attempt may have ended between creating it and this.
    cursor.execute("SHOW GRANTS FOR %s", (active,))
    for (grant,) in cursor.fetchall():
        cursor.execute(grant.split(" TO ")[0].replace("%", "%%") + " TO %s", (user,))
    cursor.execute("ALTER USER %s REQUIRE SSL", (user,))
    cursor.execute("ALTER USER %s IDENTIFIED BY %s", (user, pending["password"]))


def test_secret(client, arn, token, current):
    connection = connect(read(client, arn, token, "AWSPENDING"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOW()")
    finally:
        connection.close()


def finish_secret(client, arn, token, current):
    # Moves the label only from where the guard saw it.
    client.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
    )


def read(client, arn, version, stage):
    """A version by its label, and by its token too if that is known: a stale label is then an error."""
    named = {"VersionId": version} if version else {}
    return json.loads(client.get_secret_value(SecretId=arn, VersionStage=stage, **named)["SecretString"])


def connect(secret):
    """With TLS, or not at all."""
    if secret["engine"] == "postgres":
        import psycopg2

        return psycopg2.connect(
            host=secret["host"],
            port=secret["port"],
            dbname=secret["dbname"],
            user=secret["username"],
            password=secret["password"],
            sslmode="verify-full",
            sslrootcert=AUTHORITIES,
            connect_timeout=5,
        )
    import pymysql

    return pymysql.connect(
        host=secret["host"],
        port=secret["port"],
        database=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        ssl={"ca": AUTHORITIES},
        connect_timeout=5,
    )


def other(user):
    return base_of(user) if user.endswith("_clone") else user + "_clone"


def base_of(user):
    return user.removesuffix("_clone")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


STEPS = {
    "createSecret": create_secret,
    "setSecret": set_secret,
    "testSecret": test_secret,
    "finishSecret": finish_secret,
}
