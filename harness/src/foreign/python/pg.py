"""A stand-in: the exception classes that PyGreSQL's two faces share."""

from tumbler_guest import refuse_attribute


class Error(Exception):
    sqlstate = None


class InterfaceError(Error):
    pass


class DatabaseError(Error):
    pass


class InternalError(DatabaseError):
    pass


class OperationalError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


class Warning(Exception):
    pass


__getattr__ = refuse_attribute("pg")
