"""Page tokens, page sizes and entity tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_kit.errors import ServiceError
from zhibu_kit.etag import check_etag, etag_of
from zhibu_kit.paging import Page, decode_page_token, encode_page_token, page_of


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=30))
def test_a_token_gives_back_the_sort_key(after: list[str], query: str) -> None:
    assert decode_page_token(encode_page_token(after, query=query), query=query) == tuple(after)


def test_a_token_belongs_to_its_query() -> None:
    with pytest.raises(ServiceError) as caught:
        page_of(10, encode_page_token(["a"], query="state=NEW"), query="state=OLD")
    assert [(one.field, one.reason) for one in caught.value.fields] == [("page_token", "INVALID_PAGE_TOKEN")]


@given(st.text(min_size=1, max_size=200))
def test_whatever_is_no_token_of_ours_is_a_field_error(token: str) -> None:
    with pytest.raises(ServiceError):
        page_of(10, token)


def test_an_endless_token_is_a_field_error() -> None:
    with pytest.raises(ServiceError):
        page_of(10, "A" * 5000)


@pytest.mark.parametrize(("asked", "given_size"), [(0, 50), (-3, 50), (1, 1), (200, 200), (1000, 200)])
def test_pages_have_a_default_and_a_largest_size(asked: int, given_size: int) -> None:
    assert page_of(asked, "") == Page(size=given_size, after=None)


def test_an_etag_matches_its_version_only() -> None:
    check_etag(etag_of(7), 7)
    with pytest.raises(ServiceError) as caught:
        check_etag(etag_of(7), 8)
    assert (caught.value.reason, caught.value.metadata) == ("ETAG_MISMATCH", {"etag": "v8"})


def test_an_edit_without_an_etag_asks_for_no_check() -> None:
    check_etag("", 8)


@pytest.mark.parametrize("after", [[], ["a", "b"], ["a\0"]])
def test_a_token_that_holds_other_keys_than_the_list_sorts_by_is_refused(after: list[str]) -> None:
    token = encode_page_token(after, query="q")
    with pytest.raises(ServiceError):
        page_of(10, token, query="q")
    assert page_of(10, encode_page_token(["a", "b"], query="q"), query="q", keys=2).after == ("a", "b")
