"""What the functions of this folder share: labels, secrets, passwords, where the administrator is.

Between them they use all that published sample functions use of boto3, of three drivers and of SQL.
"""

import json
import logging
import os
from datetime import datetime, timezone

import boto3
from botocore.exceptions import ClientError

logger = logging.getLogger()
logger.setLevel(logging.INFO)

CA_FILE = "/etc/pki/tls/cert.pem"
NEEDED = ("engine", "host", "username", "password")


def run(event, rotation):
    """Does the step that the event names with the parts of `rotation`."""
    arn, token, step = (event[name] for name in ("SecretId", "ClientRequestToken", "Step"))
    client = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])
    described = client.describe_secret(SecretId=arn)
    if not described.get("RotationEnabled", True):
        raise ValueError(f"{arn} is not rotated")
    labels = described["VersionIdsToStages"].get(token)
    if labels is None:
        raise ValueError(f"{token} is no version of {arn}")
    if "AWSCURRENT" in labels:
        logger.info("%s is current already at %s", token, datetime.now(timezone.utc))
        return
    if "AWSPENDING" not in labels:
        raise ValueError(f"{token} is not pending")
    {"createSecret": create, "setSecret": rotation.set_secret, "testSecret": rotation.test_secret,
     "finishSecret": finish}[step](client, arn, token, rotation)


def create(client, arn, token, rotation):
    secret = read(client, arn, "AWSCURRENT")
    try:
        read(client, arn, "AWSPENDING", token)
        logger.info("createSecret: there is one for %s", token)
    except client.exceptions.ResourceNotFoundException:
        secret["username"] = rotation.next_user(secret["username"])
        secret["password"] = new_password(client)
        text = json.dumps(secret)
        client.put_secret_value(SecretId=arn, ClientRequestToken=token, SecretString=text, VersionStages=["AWSPENDING"])


def finish(client, arn, token, rotation):
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    current = [version for version in stages if "AWSCURRENT" in stages[version]]
    if current == [token]:
        return
    client.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current[0]
    )


def read(client, arn, stage, token=None):
    which = {"VersionId": token} if token else {}
    secret = json.loads(client.get_secret_value(SecretId=arn, VersionStage=stage, **which)["SecretString"])
    if set(secret) == {"username", "password"}:
        secret.update(whereabouts(client, arn))
    for name in NEEDED:
        if name not in secret:
            raise KeyError(f"{name} is not in the secret")
    return secret


def whereabouts(client, arn):
    """Host, port and engine of a secret that the database service made: its tags name the instance."""
    rds = boto3.client("rds")
    for tag in client.describe_secret(SecretId=arn).get("Tags", []):
        key = tag["Key"].lower()
        if key == "aws:rds:primarydbinstancearn":
            found = instance_of(rds, tag["Value"])
            return {"host": found["Endpoint"]["Address"], "port": found["Endpoint"]["Port"], "engine": found["Engine"]}
        if key == "aws:rds:primarydbclusterarn":
            found = cluster_of(rds, tag["Value"])
            return {"host": found["Endpoint"], "port": found["Port"], "engine": found["Engine"]}
    return {}


def instance_of(rds, name):
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    except ClientError as error:
        raise RuntimeError(f"cannot describe {name}: {error.response['Error']['Code']}")
    return found[0] if found else None


def cluster_of(rds, name):
    found = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    return found[0] if found else None


def is_copy(secret, master):
    """Whether the application's host reads what the administrator's host writes."""
    rds = boto3.client("rds")
    mine, its = (each["host"].split(".")[0] for each in (secret, master))
    if not master["engine"].startswith("aurora"):
        return instance_of(rds, mine).get("ReadReplicaSourceDBInstanceIdentifier") == its
    if "cluster" not in master["host"].split(".")[1]:
        its = instance_of(rds, its)["DBClusterIdentifier"]
    cluster = cluster_of(rds, its)
    readers = [each["DBInstanceIdentifier"] for each in cluster["DBClusterMembers"] if not each["IsClusterWriter"]]
    return secret["host"] == cluster["ReaderEndpoint"] or mine in readers


def administrator(client, secret):
    master = read(client, secret["masterarn"], "AWSCURRENT")
    master["dbname"] = secret.get("dbname")
    if master["host"] != secret["host"] and not is_copy(secret, master):
        raise ValueError(f"{secret['host']} is neither {master['host']} nor a copy of it")
    return master


def new_password(client):
    def flag(name, default):
        return os.environ.get(name, str(default)).lower() in ("true", "yes", "y", "1")

    return client.get_random_password(
        PasswordLength=int(os.environ.get("PASSWORD_LENGTH", 32)),
        ExcludeCharacters=os.environ.get("EXCLUDE_CHARACTERS", "/@\"'\\:"),
        ExcludeNumbers=flag("EXCLUDE_NUMBERS", False),
        ExcludePunctuation=flag("EXCLUDE_PUNCTUATION", False),
        ExcludeUppercase=flag("EXCLUDE_UPPERCASE", False),
        ExcludeLowercase=flag("EXCLUDE_LOWERCASE", False),
        RequireEachIncludedType=flag("REQUIRE_EACH_INCLUDED_TYPE", True),
    )["RandomPassword"]


def transports(secret):
    """With TLS, and without it where the secret does not insist."""
    told = secret.get("ssl")
    if isinstance(told, str):
        told = {"true": True, "false": False}.get(told.lower())
    return [told] if isinstance(told, bool) else [True, False]


def other_user(name):
    return name[: -len("_clone")] if name.endswith("_clone") else name + "_clone"


def same_user(name):
    return name
