// Small helps on top of pages that work without them: focus on what is wrong, count-downs, printing, one press one act.
"use strict";

document.documentElement.classList.add("js");

function focusFirstMessage(root) {
  const message = root.querySelector("[data-focus]");
  if (message) {
    if (!message.hasAttribute("tabindex")) {
      message.setAttribute("tabindex", "-1");
    }
    message.focus({ preventScroll: false });
  }
}

function countDown(element) {
  const button = document.getElementById(element.dataset.countdownFor);
  const template = element.dataset.countdownText;
  const endsAt = Date.now() + Number(element.dataset.countdown) * 1000;
  const tick = () => {
    const left = Math.ceil((endsAt - Date.now()) / 1000);
    if (left > 0) {
      element.textContent = template.replace("{count}", String(left));
      button.setAttribute("aria-disabled", "true");
      window.setTimeout(tick, 500);
    } else {
      element.textContent = "";
      button.removeAttribute("aria-disabled");
    }
  };
  tick();
}

function selectAll(box) {
  const others = document.querySelectorAll(`input[type=checkbox][name="${box.dataset.selectAll}"]`);
  const count = () => {
    const chosen = [...others].filter((one) => one.checked).length;
    const output = document.getElementById("chosen-count");
    if (output) {
      output.textContent = output.dataset.text.replace("{count}", String(chosen));
    }
    box.checked = chosen > 0 && chosen === others.length;
    box.indeterminate = chosen > 0 && chosen < others.length;
  };
  box.addEventListener("change", () => {
    others.forEach((one) => { one.checked = box.checked; });
    count();
  });
  others.forEach((one) => one.addEventListener("change", count));
  count();
}

function copyFrom(button) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy");
    }
    document.getElementById("live").textContent = button.dataset.copied;
    button.textContent = button.dataset.copied;
  });
}

function prepare(root) {
  root.querySelectorAll("[data-copy]").forEach(copyFrom);
  root.querySelectorAll("[data-countdown]").forEach(countDown);
  root.querySelectorAll("[data-select-all]").forEach(selectAll);
  root.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
}

// Links of the error summary lead to the field and put the cursor into it.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".govuk-error-summary a[href^='#']");
  const field = link && document.getElementById(link.getAttribute("href").slice(1));
  if (field) {
    event.preventDefault();
    field.focus({ preventScroll: true });
    (field.closest(".govuk-form-group") || field).scrollIntoView();
  }
});

// A form is sent once, however often its button is pressed; the server would answer the repetition with the same result.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (button && button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    return;
  }
  if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 3000 && !form.hasAttribute("data-download")) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = String(Date.now());
});

window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

// On a slow line somebody chooses before the scripts are there: that choice is told now.
window.addEventListener("load", () => {
  document.querySelectorAll('[hx-trigger="change"] select').forEach((select) => {
    const offered = [...select.options].find((option) => option.defaultSelected) || select.options[0];
    if (offered && !offered.selected) {
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
});

document.addEventListener("htmx:afterSwap", (event) => {
  prepare(event.detail.elt);
  const live = document.getElementById("live");
  const spoken = event.detail.elt.querySelector && event.detail.elt.querySelector("[data-speak]");
  if (live && spoken && live.textContent !== spoken.textContent.trim()) {
    live.textContent = spoken.textContent.trim();
  }
});

prepare(document);
focusFirstMessage(document);
