"""A stand-in: the exceptions that a client may raise here."""

from tumbler_guest import refuse_attribute


class BotoCoreError(Exception):
    def __init__(self, **details):
        super().__init__(", ".join(f"{name}: {value}" for name, value in sorted(details.items())))


class HTTPClientError(BotoCoreError):
    pass


class ReadTimeoutError(HTTPClientError):
    pass


class ConnectTimeoutError(HTTPClientError):
    pass


class EndpointConnectionError(HTTPClientError):
    pass


class ConnectionClosedError(HTTPClientError):
    pass


class ParamValidationError(BotoCoreError):
    def __init__(self, report):
        Exception.__init__(self, f"Parameter validation failed:\n{report}")


class NoCredentialsError(BotoCoreError):
    pass


class ClientError(Exception):
    def __init__(self, error_response, operation_name):
        error = error_response.get("Error", {})
        super().__init__(
            f"An error occurred ({error.get('Code', 'Unknown')}) when calling the {operation_name} operation: "
            f"{error.get('Message', 'Unknown')}"
        )
        self.response, self.operation_name = error_response, operation_name


__getattr__ = refuse_attribute("botocore.exceptions")
