"""A new user for each version; the one before the previous is taken away. Who cancels leaves one behind."""

import json

import boto3
import psycopg2


def lambda_handler(event, context):
    client = boto3.client("secretsmanager")
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSCURRENT" in stages.get(token, []):
        return

    def read(stage, arn=arn, **which):
        return json.loads(client.get_secret_value(SecretId=arn, VersionStage=stage, **which)["SecretString"])

    def administer(*statements):
        master = read("AWSCURRENT", read("AWSCURRENT")["masterarn"])
        connection = connect(master)
        with connection.cursor() as cursor:
            for sql, parameters in statements:
                cursor.execute(sql, parameters)
        connection.commit()

    if step == "createSecret":
        try:
            read("AWSPENDING", VersionId=token)
        except client.exceptions.ResourceNotFoundException:
            secret = read("AWSCURRENT")
            secret["username"] = "app_" + token.split("-")[0]
            secret["password"] = client.get_random_password(ExcludeCharacters="'\\")["RandomPassword"]
            text = json.dumps(secret)
            client.put_secret_value(
                SecretId=arn, ClientRequestToken=token, SecretString=text, VersionStages=["AWSPENDING"]
            )
    elif step == "setSecret":
        pending = read("AWSPENDING", VersionId=token)
        user = pending["username"]
        administer(
            (f"DROP ROLE IF EXISTS {user}", None),
            (f"CREATE ROLE {user} LOGIN PASSWORD %s", (pending["password"],)),
            (f"GRANT app TO {user}", None),
        )
    elif step == "testSecret":
        connect(read("AWSPENDING", VersionId=token)).close()
    else:
        oldest = [version for version, labels in stages.items() if "AWSPREVIOUS" in labels]
        if oldest:
            user = read("AWSPREVIOUS", VersionId=oldest[0])["username"]
            administer((f"ALTER ROLE {user} NOLOGIN" if user == "app" else f"DROP ROLE IF EXISTS {user}", None))
        current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )


def connect(secret):
    who = dict(user=secret["username"], password=secret["password"])
    tls = dict(sslmode="verify-full", sslrootcert="/etc/pki/tls/cert.pem")
    return psycopg2.connect(host=secret["host"], dbname=secret["dbname"], **tls, **who)
