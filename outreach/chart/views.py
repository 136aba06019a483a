"""Pages of chart."""

from flask import Blueprint

bp = Blueprint("chart", __name__)
