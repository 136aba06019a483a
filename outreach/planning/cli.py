"""Commands: ``flask plan ...``."""

from flask.cli import AppGroup

group = AppGroup("plan", help="")
