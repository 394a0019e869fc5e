"""A stand-in: settings are taken and change nothing."""

from tumbler_guest import refuse_attribute


class Config:
    def __init__(self, *args, **settings):
        pass


__getattr__ = refuse_attribute("botocore.config")
