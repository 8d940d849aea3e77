"""The HTML of the demo telephone; it works without scripts, which only spare the reader the reload."""

from html import escape
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from zhibu_smsc.inbox import Message

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_ZH: Final = {
    "lang": "zh-CN",
    "title": "演示手机",
    "note": "这里显示演示系统发出的短信，供开发和测试使用。短信只在内存中，重启后清空。",
    "label": "手机号码（留空显示全部）",
    "show": "查看",
    "reload": "刷新",
    "list": "收到的短信",
    "empty": "还没有收到短信。",
    "to": "发给",
    "from": "来自",
    "at": "时间",
    "live": "新短信会自动显示。",
    "switch": "English",
    "other": "en",
}
_EN: Final = {
    "lang": "en",
    "title": "Demo telephone",
    "note": "Messages that the demonstration has sent, for development and tests. Kept in memory only.",
    "label": "Telephone number (empty shows all)",
    "show": "Show",
    "reload": "Reload",
    "list": "Messages received",
    "empty": "No message yet.",
    "to": "To",
    "from": "From",
    "at": "At",
    "live": "New messages appear by themselves.",
    "switch": "中文",
    "other": "zh",
}


def render_page(messages: list[Message], *, number: str, english: bool) -> str:
    """The whole page, newest message first."""
    words = _EN if english else _ZH
    items = "\n".join(_item(message, words) for message in reversed(messages))
    content = f"<ul>{items}</ul>" if items else f'<p class="empty">{words["empty"]}</p>'
    switch = "?" + urlencode({"to": number, "lang": words["other"]})
    switch_language = "zh-CN" if english else "en"
    return f"""<!doctype html>
<html lang="{words["lang"]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{words["title"]}</title>
<link rel="stylesheet" href="/static/phone.css">
<script src="/static/phone.js" defer></script>
</head>
<body>
<header>
<h1>{words["title"]}</h1>
<a href="{escape(switch)}" lang="{switch_language}" hreflang="{switch_language}">{words["switch"]}</a>
</header>
<main>
<p class="note">{words["note"]}</p>
<form method="get" action="/">
<label for="to">{words["label"]}</label>
<input id="to" name="to" inputmode="tel" autocomplete="off" maxlength="20" value="{escape(number)}">
<input type="hidden" name="lang" value="{"en" if english else "zh"}">
<button type="submit">{words["show"]}</button>
</form>
<section aria-labelledby="list-title">
<h2 id="list-title">{words["list"]}</h2>
<p id="live" class="note" hidden>{words["live"]}</p>
<div id="messages" aria-live="polite" data-number="{escape(number)}">{content}</div>
</section>
</main>
</body>
</html>
"""


def _item(message: Message, words: dict[str, str]) -> str:
    at = message.received_at.astimezone(_SHANGHAI)
    return f"""<li data-sequence="{message.sequence}" data-to="{escape(message.to)}">
<p class="text">{escape(message.text)}</p>
<p class="facts"><span>{words["to"]} {escape(message.to)}</span> <span>{words["from"]} {escape(message.sender)}</span>
<time datetime="{at.isoformat()}">{at:%Y-%m-%d %H:%M:%S}</time></p>
</li>"""
