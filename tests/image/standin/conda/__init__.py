"""A stand-in for conda, for tests of the image recipe alone; it is never part of an image.

Written in Python, as the conda of a Miniconda release is, so that the recipe and the start of a
container meet what users have: a conda that takes its time, with files and messages of its own.
"""

import pathlib

NOTE = "a stand-in for conda, made for tests"
ROOT = pathlib.Path(__file__).resolve().parents[4]
SUBDIRS = ("linux-64", "noarch")


def version():
    """The version in the name of the prefix's own record."""
    return next((ROOT / "conda-meta").glob("conda-[0-9]*.json")).name.split("-")[1]


class CondaError(Exception):
    """An error that ends the command; its class name is told, as in 'PackagesNotFoundError: …'."""


class PackagesNotFoundError(CondaError):
    """No channel has a package of that name."""


class UnsatisfiableError(CondaError):
    """No choice of packages fits what is asked for."""


class SpecsConfigurationConflictError(CondaError):
    """What is asked for is not what a pin says."""


class CondaHTTPError(CondaError):
    """A channel does not answer, or not as it should: then status and reason say how."""

    status, reason = 0, ""


class UnavailableInvalidChannel(CondaError):
    """A channel that is not there, or not for this user."""


class CondaSSLError(CondaError):
    """A channel's certificate is not trusted."""


class OfflineError(CondaError):
    """The network would be needed, and is not to be used."""


class CondaEnvException(CondaError):
    """The pip of an environment file has failed."""


class EnvironmentLocationNotFound(CondaError):
    """There is no environment there."""
