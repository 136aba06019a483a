"""Pages of concerns."""

from flask import Blueprint

bp = Blueprint("concerns", __name__)
