"""Small pure parts of the HTTP side."""

from ipaddress import ip_network

import pytest
from zhibu_gateway.web.client_address import client_address
from zhibu_gateway.web.exchange import accepts_gzip
from zhibu_gateway.web.languages import language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en"),
        ("en-GB,zh;q=0.5", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh;q=0.5, en;q=0.8", "en"),
        ("fr", "zh-CN"),
        ("fr, en;q=0.1", "en"),
        ("en;q=0", "zh-CN"),
        ("en;q=nan", "zh-CN"),
        ("en;q=99", "zh-CN"),
    ],
)
def test_chinese_is_the_answer_unless_english_is_wanted_more(header: str | None, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        # Whoever calls directly is believed nothing.
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        # An entry that the client wrote stands before the one that our proxy wrote.
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", None, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7, nonsense", "unknown"),
        (None, None, "unknown"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(peer: str | None, forwarded: str | None, address: str) -> None:
    ours = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert client_address(peer, forwarded, trusted=ours) == address


@pytest.mark.parametrize(
    ("header", "accepted"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("", False), ("br", False), ("gzip;q=0", False)],
)
def test_gzip_is_used_only_where_it_is_taken(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
