"""Commands: ``flask patients ...``."""

from flask.cli import AppGroup

group = AppGroup("patients", help="")
