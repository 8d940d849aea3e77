"""Texts of pages that say what went wrong and what to do."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "error.404_title": ("没有这个页面", "There is no such page"),
    "error.404_text": (
        "网址可能输错了，或者内容已不存在。",
        "The address may be mistyped, or what it showed is gone.",
    ),
    "error.403_title": ("您没有权限", "You are not allowed to do this"),
    "error.403_text": (
        "您的职务不能办理这项业务。如果认为有误，请联系本单位管理员。",
        "Your offices do not cover this. If you think that is wrong, ask your administrator.",
    ),
    "error.405_title": ("不能这样打开", "This cannot be opened like that"),
    "error.405_text": ("请从首页或菜单重新进入。", "Please start from the home page or the menu."),
    "error.413_title": ("内容太长", "Too much text"),
    "error.413_text": ("请缩短后再提交。", "Shorten it and send it again."),
    "error.413_file_title": ("文件太大", "The file is too large"),
    "error.413_file_text": (
        "名册最大 64 MB，其他文件最大 16 MB。请压缩、另存或拆分后再上传。",
        "Rosters may have 64 MB, other files 16 MB. Compress, convert or split the file and upload it again.",
    ),
    "error.429_title": ("操作太频繁", "Too many requests"),
    "error.429_text": ("请稍等一会儿再试。", "Please wait a little and try again."),
    "error.429_wait": ("请等 {seconds} 秒后再试。", "Please wait {seconds} seconds and try again."),
    "error.500_title": ("系统出了问题", "Something went wrong"),
    "error.500_text": (
        "这是我们的问题，已经记录下来。请稍后再试。",
        "This is our fault and has been recorded. Please try again later.",
    ),
    "error.503_title": ("系统暂时联系不上", "The system cannot be reached"),
    "error.503_text": (
        "可能正在维护。您填的内容都还在，请稍等一会儿再试。",
        "It may be under maintenance. What you entered is not lost; wait a little and try again.",
    ),
    "error.form_title": ("页面已过期", "The page has expired"),
    "error.form_text": (
        "为了安全，页面打开太久后不能再提交。请返回上一页刷新后再试；如果浏览器禁用了 Cookie，请打开。",
        "For safety a page that was open for long cannot be sent. Go back, reload it and try again; cookies must be allowed.",
    ),
    "error.refused_title": ("没有办成", "Not done"),
    "error.again": ("再试一次", "Try again"),
    "error.home": ("回到首页", "To the home page"),
    "error.back": ("返回上一页", "Go back"),
    "error.call": ("还是不行？请致电 {telephone}。", "Still stuck? Call {telephone}."),
    "error.trace": ("报修编号：{trace}", "Reference: {trace}"),
}
