"""A stand-in."""

from boto3 import Session  # noqa: F401
from tumbler_guest import refuse_attribute

__getattr__ = refuse_attribute("boto3.session")
