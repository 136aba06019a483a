"""Outreach: empathy-focused phone calls, one dedicated caller per patient."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """Build the application for ``flask --app outreach``.

    The import waits until it is called, so that importing one pure rule does not
    import Flask, Twilio and every table.
    """
    from outreach.app import create_app as build  # noqa: PLC0415

    return build()
