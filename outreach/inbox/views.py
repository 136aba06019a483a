"""Pages of what patients send back."""

from flask import Blueprint

bp = Blueprint("inbox", __name__, url_prefix="/texts")
