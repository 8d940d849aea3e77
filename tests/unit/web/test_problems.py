"""A refusal by the gateway arrives as words for people and codes for us, whatever it looks like."""

import httpx
import pytest
from zhibu_web.forms import Form
from zhibu_web.gateway_client import FieldProblem, ProblemError, problem_of


def test_a_problem_document_is_read_whole() -> None:
    response = httpx.Response(
        400,
        headers={"Retry-After": "17"},
        json={
            "code": "INVALID_ARGUMENT",
            "detail": "填写的内容有误",
            "errors": [{"field": "realName", "detail": "太短", "code": "NAME_TOO_SHORT"}],
            "metadata": {"a": 1},
            "trace_id": "ab",
        },
    )
    assert problem_of(response) == ProblemError(
        status=400,
        code="INVALID_ARGUMENT",
        detail="填写的内容有误",
        errors=(FieldProblem("realName", "太短", "NAME_TOO_SHORT"),),
        metadata={"a": "1"},
        retry_after_s=17,
        trace_id="ab",
    )


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"errors": 3, "metadata": []}'])
def test_what_is_no_problem_document_is_a_problem_without_words(body: bytes) -> None:
    problem = problem_of(httpx.Response(502, content=body))
    assert (problem.status, problem.code, problem.detail, problem.errors) == (502, "UNKNOWN", "", ())


def test_a_log_of_a_problem_quotes_nothing_that_a_person_entered() -> None:
    assert str(ProblemError(400, "BAD", "名字“王建国”有误")) == "400 BAD"


def test_field_problems_lead_to_the_fields_of_the_form() -> None:
    form = Form()
    problem = ProblemError(
        400, "BAD", "x", (FieldProblem("settings.helpHours", "太长", "LONG"), FieldProblem("other", "", ""))
    )
    form.refuse_problem(problem, {"helpHours": "help_hours"}, "请改正")
    assert form.errors == {"help_hours": "太长", "": "请改正"}
