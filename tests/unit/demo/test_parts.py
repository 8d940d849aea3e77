"""Parts of a long load: done ones are not begun again, and times add up over runs that were killed."""

import io
from pathlib import Path

import pytest
from zhibu_demo.county.parts import Part, Parts, in_words
from zhibu_demo.progress import Progress

NAME = "电子身份证"


def parts(directory: Path) -> tuple[Parts, io.StringIO]:
    out = io.StringIO()
    return Parts(Progress(directory / "county.jsonl", "seed"), out), out


async def test_a_part_that_is_done_is_told_and_not_begun_again(tmp_path: Path) -> None:
    async def work(part: Part) -> None:
        part.add(3)

    async def again(_: Part) -> None:
        raise AssertionError("it is done")

    first, out = parts(tmp_path)
    await first.run("eids", NAME, 3, work)
    assert "✓ 电子身份证" in out.getvalue()
    assert "3/3" in out.getvalue()
    assert first.changed
    second, out = parts(tmp_path)
    await second.run("eids", NAME, 3, again)
    assert "已完成" in out.getvalue()
    assert not second.changed


async def test_a_part_that_fails_is_not_done_and_its_time_is_kept(tmp_path: Path) -> None:
    async def fail(_: Part) -> None:
        raise RuntimeError

    async def go_on(part: Part) -> None:
        # A former run has done one of them.
        part.look(1)
        part.look(3)

    first, _ = parts(tmp_path)
    with pytest.raises(RuntimeError):
        await first.run("eids", NAME, 3, fail)
    Progress(tmp_path / "county.jsonl", "seed").of("part.eids").put("seconds", 100.0)
    second, out = parts(tmp_path)
    await second.run("eids", NAME, 3, go_on)
    assert "✓ 电子身份证" in out.getvalue()
    assert second.total_seconds() >= 100


@pytest.mark.parametrize(("seconds", "words"), [(8.25, "8.2 s"), (60, "1 min 00 s"), (3_725, "62 min 05 s")])
def test_times_are_read_by_people(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
