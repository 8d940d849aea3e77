"""The script that checks an entry of the log, in a real browser: what packages/tlog makes is right, and nothing else is."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from integration.web.test_card_check import FLAGS, WITHOUT_ED25519, serving
from playwright.async_api import Page, async_playwright
from support.log_entries import COUNTY, ME, OTHERS, WITNESSES, LogMaker, commitments_of, row_of, salt_of
from support.tlog_logs import LOG_KEY, OTHER_KEY, WITNESS_KEY
from zhibu_stack.ports import free_port
from zhibu_web.security_headers import security_headers
from zhibu_web.settings import WebSettings
from zhibu_web.static_files import HashedStaticFiles

pytestmark = [pytest.mark.browser]

GO: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "unit" / "tlog" / "go_examples.json").read_text(encoding="utf-8")
)
GOOD = dict.fromkeys(("file", "words", "tree", "log", "witnesses", "person"), ("good", ""))
SAID = {
    "time": "2026-11-29T02:12:33.456Z",
    "lane": "identity",
    "sequence": "41",
    "action": "identity.people.listed",
    "outcome": "ENTRY_OUTCOME_READ",
    "offices": [f"county_clerk@{COUNTY}"],
    "organisation": COUNTY,
}
# Runs in the browser: what the module says of each of many cases.
JUDGE = """async (cases) => {
  const { checkEntry } = await import("/static/log-proof.js");
  const found = [];
  for (const one of cases) {
    const leaf = Uint8Array.from(atob(one.leaf), (character) => character.charCodeAt(0));
    const { steps } = await checkEntry({ ...one, leaf });
    found.push(Object.fromEntries(steps.map(({ name, state, reason }) => [name, [state, reason]])));
  }
  return found;
}"""
# Gives whether a leaf of Go's examples is in the tree of its size and root.
INCLUDED = """async (cases) => {
  const { isIncluded } = await import("/static/log-proof.js");
  const { readHash } = await import("/static/log-notes.js");
  const text = new TextEncoder();
  return Promise.all(cases.map((one) => isIncluded(
    text.encode(one.entry), BigInt(one.index), BigInt(one.size), one.proof.map(readHash), readHash(one.root))));
}"""
# Breaks, bit by bit, what is given; true where one broken text is still taken for good.
CHANGED_PROOFS = """async (one) => {
  const { checkEntry } = await import("/static/log-proof.js");
  const leaf = Uint8Array.from(atob(one.leaf), (character) => character.charCodeAt(0));
  const bytes = new TextEncoder().encode(one.proof);
  const believed = [];
  let tried = 0;
  for (let place = 0; place < bytes.length; place += 1) {
    const changed = bytes.slice();
    changed[place] ^= 1 << (place % 7);
    const proof = new TextDecoder().decode(changed);
    const { steps } = await checkEntry({ ...one, proof, leaf });
    tried += 1;
    if (steps.every((step) => step.state === "good")) believed.push(place);
  }
  return [tried, believed];
}"""
CHANGED_LEAVES = """async (one) => {
  const { checkEntry } = await import("/static/log-proof.js");
  const bytes = Uint8Array.from(atob(one.leaf), (character) => character.charCodeAt(0));
  const states = new Set();
  for (let place = 0; place < bytes.length; place += 1) {
    const leaf = bytes.slice();
    leaf[place] ^= 1 << (place % 8);
    const { steps } = await checkEntry({ ...one, leaf });
    states.add(steps.find((step) => step.name === "tree").reason);
  }
  return [...states];
}"""
COMPARE = """async ([seen, now]) => {
  const { compareCheckpoints } = await import("/static/log-proof.js");
  const { state, reason } = compareCheckpoints(seen, now);
  return [state, reason];
}"""


@pytest.fixture
async def page() -> AsyncGenerator[Page]:
    """A page with nothing on it, under the policy that all our pages have."""
    app = FastAPI()
    app.mount("/static", HashedStaticFiles())
    headers = security_headers(WebSettings(web_session_key="k" * 40))

    @app.get("/")
    async def nothing() -> HTMLResponse:
        return HTMLResponse("<!DOCTYPE html><title>nothing</title>", headers=headers)

    port = free_port()
    async with serving(app, port), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"http://localhost:{port}/")
        yield page
        await browser.close()


def case(maker: LogMaker, **changes: Any) -> dict[str, Any]:
    """Give what the script gets for a proof."""
    return {
        "leaf": base64.b64encode(maker.leaf).decode(),
        "proof": maker.proof(),
        "verifierKey": LOG_KEY.verifier.text,
        "witnessKeys": [one.verifier.text for one in WITNESSES],
        "quorum": 2,
        "said": SAID,
        "memberId": ME,
        "opening": maker.opening(),
        **changes,
    }


async def judge(page: Page, *cases: dict[str, Any]) -> list[dict[str, tuple[str, str]]]:
    found = await page.evaluate(JUDGE, list(cases))
    return [{name: tuple(outcome) for name, outcome in one.items()} for one in found]


@pytest.mark.parametrize("own", [True, False], ids=["Ed25519 of the browser", "vendored Ed25519"])
async def test_what_the_log_makes_is_good_in_every_place_and_size(page: Page, own: bool) -> None:
    if not own:
        await page.evaluate(WITHOUT_ED25519)
    places = [(1, 0), (2, 1), (3, 2), (256, 255), (257, 256), (300, 0), (300, 137), (300, 299)]
    cases = [case(LogMaker(size=size, index=index)) for size, index in places]
    assert await judge(page, *cases) == [GOOD] * len(cases)


async def test_go_and_the_script_agree(page: Page) -> None:
    roots = dict(zip(GO["sizes"], GO["roots"], strict=True))
    right: list[dict[str, Any]] = [
        {**one, "entry": f"entry {one['index']}", "root": roots[one["size"]]} for one in GO["inclusion"]
    ]
    assert await page.evaluate(INCLUDED, right) == [True] * len(right)
    wrong = [{**one, "entry": "another"} for one in right]
    wrong += [{**one, "index": (one["index"] + 1) % one["size"]} for one in right if one["size"] > 1]
    wrong += [{**one, "proof": one["proof"][:-1]} for one in right if one["proof"]]
    wrong += [{**one, "proof": [*one["proof"], GO["roots"][0]]} for one in right]
    wrong += [{**one, "index": one["size"]} for one in right]
    assert await page.evaluate(INCLUDED, wrong) == [False] * len(wrong)
    # A checkpoint and a proof that Go signed and cosigned; its entry is none of ours.
    go = case(LogMaker(), proof=GO["proof_file"], leaf=base64.b64encode(b"entry 599").decode(), quorum=1)
    (found,) = await judge(page, go)
    assert {name: found[name] for name in ("file", "tree", "log", "witnesses")} == dict.fromkeys(
        ("file", "tree", "log", "witnesses"), ("good", "")
    )


async def test_each_falsehood_is_refused_at_its_step(page: Page) -> None:
    maker = LogMaker()
    good = case(maker)
    other_row = row_of((ME, *OTHERS), action="identity.people.searched")
    short = maker.proof().split("\n")
    del short[3]
    wrong: list[tuple[dict[str, Any], str, str]] = [
        (case(maker, proof=good["proof"].replace("@v1", "@v2")), "file", "MALFORMED"),
        (case(maker, proof=good["proof"].replace("index 137", "index 0137")), "file", "MALFORMED"),
        (case(maker, verifierKey=WITNESS_KEY.verifier.text), "file", "MALFORMED"),
        (case(maker, verifierKey=LOG_KEY.verifier.text.replace("log.example", "log.elsewhere")), "file", "MALFORMED"),
        (case(maker, said={**SAID, "action": "identity.person.read"}), "words", "DIFFERS"),
        (case(maker, said={**SAID, "offices": []}), "words", "DIFFERS"),
        (case(maker, said={**SAID, "time": "2026-11-29T02:12:34.456Z"}), "words", "DIFFERS"),
        (case(maker, said={**SAID, "outcome": "ENTRY_OUTCOME_DONE"}), "words", "DIFFERS"),
        (case(maker, leaf=base64.b64encode(LogMaker(row=other_row).leaf).decode()), "tree", "OTHER_ROOT"),
        (case(maker, proof="\n".join(short)), "tree", "OTHER_ROOT"),
        (case(maker, leaf=base64.b64encode(b"\xff no json").decode()), "words", "NOT_READABLE"),
        (case(maker, proof=LogMaker(key=OTHER_KEY).proof()), "log", "NOT_SIGNED"),
        (case(maker, proof=_with_wrong_signature(maker, "log.example/linqu")), "log", "SIGNATURE_WRONG"),
        (case(maker, proof=_with_wrong_signature(maker, "witness.example/w2")), "witnesses", "COSIGNATURE_WRONG"),
        (case(maker, proof=LogMaker(witnesses=WITNESSES[:1]).proof()), "witnesses", "TOO_FEW_WITNESSES"),
        (case(maker, witnessKeys=[WITNESS_KEY.verifier.text] * 2), "witnesses", "TOO_FEW_WITNESSES"),
        (case(maker, opening=None), "person", "NOT_NAMED"),
        (case(maker, memberId=OTHERS[0]), "person", "OTHER_PERSON"),
        (case(maker, opening={**maker.opening(), "salt": salt_of("x").hex()}), "person", "NO_PLACE"),
        (case(maker, opening=maker.opening(members=(ME,))), "person", "OTHER_COMMITMENT"),
        (case(maker, opening=_unsorted(maker)), "person", "OTHER_COMMITMENT"),
    ]
    found = await judge(page, *(one for one, _, _ in wrong))
    assert [one[step] for one, (_, step, _) in zip(found, wrong, strict=True)] == [
        ("bad", reason) for _, _, reason in wrong
    ]
    # Where the proof itself cannot be read, nothing that hangs on it counts as checked.
    assert found[0]["tree"] == found[0]["log"] == found[0]["witnesses"] == ("unchecked", "NOT_READ")
    # Who is named need not be opened.
    named = LogMaker(row=row_of((), subject_id=ME))
    assert (await judge(page, case(named, opening=None)))[0]["person"] == ("good", "NAMED")


def _with_wrong_signature(maker: LogMaker, name: str) -> str:
    """Give the proof with the last bit of one signature turned, in the right spelling."""
    lines = maker.proof().split("\n")
    at = next(at for at, line in enumerate(lines) if line.startswith(f"— {name} "))
    head, _, encoded = lines[at].rpartition(" ")
    data = bytearray(base64.b64decode(encoded))
    data[20] ^= 1
    lines[at] = f"{head} {base64.b64encode(data).decode()}"
    return "\n".join(lines)


def _unsorted(maker: LogMaker) -> dict[str, Any]:
    """Give the opening with its places in another order, which hash to something else."""
    return {**maker.opening(), "commitments": [one.hex() for one in commitments_of((ME, *OTHERS))[::-1]]}


async def test_of_an_entry_that_is_no_row_time_and_lane_are_compared(page: Page) -> None:
    incident = {"at": "2026-11-29T02:12:33.456Z", "kind": "incident", "lane": "identity", "to_sequence": 9, "v": 1}
    cases = [
        case(LogMaker(), leaf=base64.b64encode(json.dumps({**incident, **change}).encode()).decode())
        for change in ({}, {"lane": "branches"}, {"at": "2026-11-29T02:12:34Z"}, {"v": 2})
    ]
    assert [one["words"] for one in await judge(page, *cases)] == [
        ("good", ""),
        ("bad", "DIFFERS"),
        ("bad", "DIFFERS"),
        ("bad", "NOT_READABLE"),
    ]


async def test_no_byte_of_a_proof_and_none_of_a_leaf_can_be_changed(page: Page) -> None:
    good = case(LogMaker(size=20, index=13))
    tried, believed = await page.evaluate(CHANGED_PROOFS, good)
    assert tried == len(good["proof"].encode())
    assert believed == []
    assert await page.evaluate(CHANGED_LEAVES, good) == ["OTHER_ROOT"]


async def test_a_browser_without_ed25519_says_what_it_could_not_check(page: Page) -> None:
    await page.evaluate(WITHOUT_ED25519)
    await page.route("**/vendor/noble-ed25519.js", lambda route: route.abort())
    (found,) = await judge(page, case(LogMaker()))
    unchecked = ("unchecked", "NO_ED25519")
    assert found == {**GOOD, "log": unchecked, "witnesses": unchecked}


async def test_a_log_that_demands_no_witness_is_not_said_to_have_one(page: Page) -> None:
    alone = case(LogMaker(witnesses=()), witnessKeys=[], quorum=0)
    assert (await judge(page, alone))[0]["witnesses"] == ("unchecked", "NO_WITNESSES")


async def test_a_log_that_became_shorter_or_another_shows_beside_what_was_seen(page: Page) -> None:
    seen = {"origin": "log", "key": "k", "size": "300", "root": "r", "witnesses": ["w1"], "quorum": 1}
    changes: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["good", "GROWN"]),
        ({"size": "9007199254740993", "root": "s"}, ["good", "GROWN"]),
        ({"size": "299"}, ["bad", "SHORTER"]),
        ({"root": "s"}, ["bad", "FORKED"]),
        ({"key": "l"}, ["bad", "OTHER_KEY"]),
        ({"origin": "log2", "size": "1"}, ["bad", "OTHER_KEY"]),
        ({"witnesses": [], "quorum": 0}, ["unchecked", "OTHER_WITNESSES"]),
    ]
    found = [await page.evaluate(COMPARE, [seen, {**seen, **change}]) for change, _ in changes]
    assert found == [expected for _, expected in changes]
    assert await page.evaluate(COMPARE, [None, seen]) == ["good", "FIRST"]
