"""A naive rotation: it works whenever nothing goes wrong.

Written to fail, in ways that real ones do; `harness/tests/foreign` pins each of them. Do not copy.
"""

import json

import boto3
import psycopg2

secrets = boto3.client("secretsmanager")


def lambda_handler(event, context):
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if step == "createSecret":
        create(arn, token)
    elif step == "setSecret":
        set_password(arn, token)
    elif step == "testSecret":
        test(arn, token)
    else:
        finish(arn, token)


def create(arn, token):
    # A new password each time: with the same token, the store refuses the second.
    secret = read(arn, VersionStage="AWSCURRENT")
    user = secret["username"]
    secret["username"] = user[:-6] if user.endswith("_clone") else user + "_clone"
    secret["password"] = secrets.get_random_password(ExcludeCharacters="/@\"'\\")["RandomPassword"]
    secrets.put_secret_value(
        SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(secret), VersionStages=["AWSPENDING"]
    )


def set_password(arn, token):
    pending = read(arn, VersionId=token)
    master = read(pending["masterarn"], VersionStage="AWSCURRENT")
    connection = connect(dict(pending, username=master["username"], password=master["password"]))
    connection.autocommit = True
    user = pending["username"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,))
        if cursor.fetchone():
            # The user is there, so its grants will be: unless the last attempt ended before them.
            try:
                cursor.execute(f"ALTER ROLE {user} WITH PASSWORD %s", (pending["password"],))
            except psycopg2.Error:
                # It has a password already, after all.
                pass
        else:
            cursor.execute(f"CREATE ROLE {user} WITH LOGIN PASSWORD %s", (pending["password"],))
            cursor.execute(f"GRANT app TO {user}")


def test(arn, token):
    pending = read(arn, VersionId=token)
    try:
        with connect(pending).cursor() as cursor:
            cursor.execute("SELECT NOW()")
    except psycopg2.Error as error:
        # Told, and forgotten.
        print("test failed", error)


def finish(arn, token):
    # Whoever is current now is replaced, however late this comes.
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
    secrets.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
    )


def read(arn, **which):
    return json.loads(secrets.get_secret_value(SecretId=arn, **which)["SecretString"])


def connect(secret):
    told = dict(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
    )
    try:
        return psycopg2.connect(sslmode="require", **told)
    except psycopg2.OperationalError:
        # Perhaps this server has no TLS. What is told of it is all there is to tell.
        print("no TLS for", secret)
        return psycopg2.connect(sslmode="disable", **told)
