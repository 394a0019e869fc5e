"""A stand-in: clients of the secret store and of the database service."""

from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError
from tumbler_guest import Unsupported, WorldError, call, refuse_attribute, refuse_missing

PAGES = {"MaxRecords": int, "Marker": str, "Filters": list}
# The parameters that each operation knows, with their types; those that it needs are named apart.
OPERATIONS = {
    "secretsmanager": {
        "describe_secret": {"SecretId": str},
        "get_secret_value": {"SecretId": str, "VersionId": str, "VersionStage": str},
        "get_random_password": {
            "PasswordLength": int,
            "ExcludeCharacters": str,
            "ExcludeNumbers": bool,
            "ExcludePunctuation": bool,
            "ExcludeUppercase": bool,
            "ExcludeLowercase": bool,
            "IncludeSpace": bool,
            "RequireEachIncludedType": bool,
        },
        "put_secret_value": {
            "SecretId": str,
            "ClientRequestToken": str,
            "SecretString": str,
            "VersionStages": list,
            "RotationToken": str,
        },
        "update_secret_version_stage": {
            "SecretId": str,
            "VersionStage": str,
            "MoveToVersionId": str,
            "RemoveFromVersionId": str,
        },
        "list_secret_version_ids": {"SecretId": str, "MaxResults": int, "NextToken": str, "IncludeDeprecated": bool},
    },
    "rds": {
        "describe_db_instances": {"DBInstanceIdentifier": str, **PAGES},
        "describe_db_clusters": {"DBClusterIdentifier": str, "IncludeShared": bool, **PAGES},
    },
}
NEEDED = {"update_secret_version_stage": ("SecretId", "VersionStage"), "get_random_password": ()}
EXCEPTIONS = {
    "secretsmanager": (
        "DecryptionFailure",
        "EncryptionFailure",
        "InternalServiceError",
        "InvalidNextTokenException",
        "InvalidParameterException",
        "InvalidRequestException",
        "LimitExceededException",
        "PreconditionNotMetException",
        "ResourceExistsException",
        "ResourceNotFoundException",
    ),
    "rds": ("DBInstanceNotFoundFault", "DBClusterNotFoundFault"),
}


def checked(service, name, arguments):
    """Refuses what the client would refuse before anything is sent."""
    known = OPERATIONS[service][name]
    needed = NEEDED.get(name, ("SecretId",) if service == "secretsmanager" else ())
    wrong = [f'Missing required parameter in input: "{each}"' for each in needed if each not in arguments]
    for each, value in arguments.items():
        if each not in known:
            wrong.append(f'Unknown parameter in input: "{each}", must be one of: {", ".join(known)}')
        elif not isinstance(value, known[each]) or isinstance(value, bool) and known[each] is int:
            wrong.append(f"Invalid type for parameter {each}, type: {type(value)}, valid types: {known[each]}")
    if wrong:
        raise ParamValidationError(report="\n".join(wrong))


class Exceptions:
    """The exception classes of one service."""

    def __init__(self, service):
        self.ClientError = ClientError
        self._service = service
        for name in EXCEPTIONS[service]:
            setattr(self, name, type(name, (ClientError,), {}))

    def __getattr__(self, name):
        return refuse_attribute(f"client('{self._service}').exceptions")(name)


KNOWN = {service: Exceptions(service) for service in OPERATIONS}


class Client:
    def __init__(self, service):
        self._service = service
        self.exceptions = KNOWN[service]

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in OPERATIONS[self._service]:
            return refuse_attribute(f"client('{self._service}')")(name)

        def operation(*args, **arguments):
            if args:
                raise TypeError(f"{name}() only accepts keyword arguments.")
            checked(self._service, name, arguments)
            return self._ask(name, arguments)

        return operation

    def _ask(self, name, arguments):
        try:
            value = call(f"{self._service}.{name}", **arguments)
        except WorldError as error:
            if error.kind == "ReadTimeoutError":
                raise ReadTimeoutError(endpoint_url=self._service) from None
            operation = "".join(part.capitalize() for part in name.split("_"))
            kind = getattr(self.exceptions, error.kind, ClientError)
            told = {"Code": error.code or error.kind, "Message": error.message}
            response = {"Error": told, "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0}}
            raise kind(response, operation) from None
        value["ResponseMetadata"] = {"HTTPStatusCode": 200, "RetryAttempts": 0}
        return value


def client(service_name, *args, **settings):
    if service_name not in OPERATIONS:
        services = " and ".join(OPERATIONS)
        raise Unsupported(f"no stand-in for boto3.client('{service_name}'): there are {services}")
    return Client(service_name)


class Session:
    region_name, profile_name = "eu-west-1", "default"
    __getattr__ = refuse_missing(
        "session", "resource get_credentials available_profiles events get_available_regions get_available_services"
    )

    def __init__(self, *args, **settings):
        pass

    def client(self, service_name, *args, **settings):
        return client(service_name)


__getattr__ = refuse_attribute("boto3")
