"""OGX's log."""

import logging


def get_logger(name, **_):
    return logging.getLogger(name)
