"""A stand-in."""

import botocore.exceptions  # noqa: F401
from tumbler_guest import refuse_attribute

__getattr__ = refuse_attribute("botocore")
