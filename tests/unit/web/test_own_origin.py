"""Which hosts are ours."""

from outreach.web.own_origin import hosts


def test_hosts_are_those_of_the_setting_else_the_public_one_and_ourselves() -> None:
    address = "https://outreach.example:8443/"

    assert hosts((), None) == ()
    assert hosts((), address) == ("outreach.example", "localhost", "127.0.0.1")
    assert hosts(("a.example",), address) == ("a.example",)
