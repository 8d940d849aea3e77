// Shows new messages without a reload: the server says that something arrived, and the page fetches itself anew.
"use strict";
(() => {
  const list = document.getElementById("messages");
  const note = document.getElementById("live");
  let shown = Number(list.querySelector("li")?.dataset.sequence ?? 0);
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("messages");
    shown = Number(fresh.querySelector("li")?.dataset.sequence ?? 0);
    list.replaceChildren(...fresh.childNodes);
  };
  const stream = new EventSource("/messages/stream?to=" + encodeURIComponent(list.dataset.number));
  stream.addEventListener("open", () => { note.hidden = false; });
  stream.addEventListener("error", () => { note.hidden = true; });
  stream.addEventListener("arrived", (event) => { if (Number(event.data) !== shown) void refresh(); });
})();
