"""Whether somebody is really looking at the page that is asked for."""

from flask import Request

# What browsers call a page that they fetch before anybody asked for it: Chromium and Firefox
# say Sec-Purpose, older ones Purpose or X-Moz, Safari's previews X-Purpose.
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD = ("prefetch", "prerender", "preview")


def is_opened_by_a_person(request: Request) -> bool:
    """Say whether a page is opened in a window, not fetched ahead, framed, or only asked about.

    A page that notes who has it open must not do so for a browser's guess at the next click.
    Browsers of today say what they fetch a page for (Sec-Fetch-*); others are believed.
    """
    said = " ".join(request.headers.get(name, "") for name in _PURPOSES).lower()
    is_ahead = any(word in said for word in _AHEAD)
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    is_window = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return request.method == "GET" and is_page and is_window and not is_ahead
