"""The side navigation, in sections."""

from outreach.web import navigation


def test_everybody_sees_what_they_may_open_and_no_empty_section() -> None:
    sections = navigation.shown(lambda endpoint: endpoint in {"calls.queue", "callers.mine"})

    assert [[item.endpoint for item in each.items] for each in sections] == [
        ["calls.queue"],
        ["callers.mine"],
    ]
    assert not navigation.is_long(sections)


def test_a_long_menu_is_told_apart_by_sections() -> None:
    sections = navigation.shown(lambda _endpoint: True)

    assert navigation.is_long(sections)
    assert len(sections) == len(navigation.SECTIONS)


def test_no_page_stands_in_the_menu_twice() -> None:
    endpoints = [item.endpoint for each in navigation.SECTIONS for item in each.items]

    assert len(endpoints) == len(set(endpoints))
