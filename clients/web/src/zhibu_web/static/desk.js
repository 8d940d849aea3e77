// Keys of the approvals desk, on top of links and forms that work without them. Each key can be switched off (WCAG 2.1.4).
"use strict";

(() => {
  const bar = document.querySelector("[data-keys]");
  if (!bar) {
    return;
  }
  const status = bar.querySelector("[data-keys-status]");
  const toggle = bar.querySelector("[data-keys-toggle]");
  const help = document.getElementById("key-help");
  const STORED = "zhibu-keys";
  // Long enough to read the question, short enough that a forgotten first press does nothing later.
  const ARMED_MS = 5000;
  let armed = 0;

  const isOff = () => {
    try {
      return window.localStorage.getItem(STORED) === "off";
    } catch {
      return false;
    }
  };
  const showToggle = () => {
    toggle.textContent = isOff() ? toggle.dataset.on : toggle.dataset.off;
    bar.querySelector("[data-keys-list]").hidden = isOff();
  };
  const say = (words) => {
    status.textContent = words;
  };
  const disarm = () => {
    window.clearTimeout(armed);
    armed = 0;
    delete bar.dataset.armed;
    say("");
  };

  function approve() {
    const form = document.querySelector("[data-key-approve]");
    if (!form) {
      return;
    }
    const box = form.querySelector("input[type=checkbox]");
    if (box && !box.checked) {
      box.focus();
      say(bar.dataset.checkText);
      return;
    }
    if (armed) {
      disarm();
      form.requestSubmit(form.querySelector("button[value=next]"));
      return;
    }
    bar.dataset.armed = "";
    say(bar.dataset.armedText);
    armed = window.setTimeout(disarm, ARMED_MS);
  }

  function unfold(key) {
    const details = document.querySelector(`details[data-key="${key}"]`);
    if (details) {
      details.open = true;
      details.querySelector("input:not([type=hidden]), textarea").focus();
    }
    return Boolean(details);
  }

  function undo() {
    const last = document.querySelector("[data-key-undo]");
    if (!unfold("u") && last) {
      last.click();
    }
  }

  function move(step) {
    const links = [...document.querySelectorAll("[data-key-rows] tbody th a")];
    const row = document.activeElement && document.activeElement.closest("[data-key-rows] tbody tr");
    const at = row ? links.findIndex((link) => row.contains(link)) : -1;
    const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
    if (next) {
      next.focus();
    }
    return links.length > 0;
  }

  function tick() {
    const row = document.activeElement && document.activeElement.closest("[data-key-rows] tbody tr");
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) {
      box.click();
      row.querySelector("th a").focus();
    }
  }

  function takeNext() {
    const form = document.querySelector("[data-key-next]");
    if (form) {
      form.requestSubmit();
    }
  }

  const ACTS = {
    a: approve,
    r: () => unfold("r"),
    q: () => unfold("q"),
    u: undo,
    j: () => move(1) || takeNext(),
    k: () => move(-1),
    x: tick,
    n: takeNext,
    "/": () => {
      const search = document.querySelector("[data-key-search]");
      if (search) {
        search.focus();
      }
    },
    "?": () => help.showModal(),
  };

  // With an input method switched on, browsers tell the place of a key instead of its letter.
  const letterOf = (event) => {
    const key = event.key === "Process" ? event.code.replace("Key", "") : event.key;
    return key === "？" ? "?" : key.toLowerCase();
  };

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      disarm();
      if (field) {
        field.blur();
      }
      return;
    }
    if (field && event.key === "Enter" && event.ctrlKey && field.form) {
      const then = field.form.querySelector("[data-key-then]");
      if (then) {
        event.preventDefault();
        then.value = "next";
        field.form.requestSubmit();
      }
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || help.open || isOff()) {
      return;
    }
    if (field && !(field.type === "checkbox" || field.type === "radio")) {
      return;
    }
    const letter = letterOf(event);
    const perform = ACTS[letter];
    if (!perform || event.repeat) {
      return;
    }
    event.preventDefault();
    if (letter !== "a") {
      disarm();
    }
    perform();
  });

  bar.querySelector("[data-keys-help]").addEventListener("click", () => help.showModal());
  toggle.addEventListener("click", () => {
    try {
      window.localStorage.setItem(STORED, isOff() ? "on" : "off");
    } catch {
      // Without storage the keys stay as they are.
    }
    showToggle();
  });
  showToggle();
  // After the browser has jumped to the place that the address names, which takes the cursor away.
  window.addEventListener("pageshow", () => {
    if (window.location.hash === "#undo") {
      window.setTimeout(() => unfold("u"), 0);
    }
  });
})();
