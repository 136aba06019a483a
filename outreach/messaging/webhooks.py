"""Where the carrier reports on messages. No session, no CSRF: the signature is the proof."""

from flask import Blueprint

bp = Blueprint("messaging_webhooks", __name__, url_prefix="/webhooks")
