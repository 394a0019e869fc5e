"""One user, whose password an administrator sets. The step `set` is each test's own."""

import json

import boto3
import psycopg2

client = boto3.client("secretsmanager")


def read(arn, stage, token=None):
    more = {"VersionId": token} if token else {}
    return json.loads(client.get_secret_value(SecretId=arn, VersionStage=stage, **more)["SecretString"])


def admin(current):
    master = read(current["masterarn"], "AWSCURRENT")
    return psycopg2.connect(
        host=current["host"],
        dbname=current["dbname"],
        user=master["username"],
        password=master["password"],
        sslmode="require",
    )


def lambda_handler(event, context):
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSCURRENT" in stages.get(token, []):
        return
    if step == "createSecret":
        value = read(arn, "AWSCURRENT")
        try:
            read(arn, "AWSPENDING", token)
        except client.exceptions.ResourceNotFoundException:
            drawn = client.get_random_password(ExcludeCharacters="/@\"'\\")
            value["password"] = drawn["RandomPassword"]
            client.put_secret_value(
                SecretId=arn,
                ClientRequestToken=token,
                SecretString=json.dumps(value),
                VersionStages=["AWSPENDING"],
            )
    elif step == "setSecret":
        pending, current = read(arn, "AWSPENDING", token), read(arn, "AWSCURRENT")
        # SET
    elif step == "finishSecret":
        old = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=old
        )
