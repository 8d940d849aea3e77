// Small helps on every page: show a password, and send a form once.
for (const button of document.querySelectorAll("button[data-shows]")) {
  const input = document.getElementById(button.dataset.shows);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? button.dataset.textShow : button.dataset.textHide;
    button.setAttribute("aria-label", shown ? button.dataset.labelShow : button.dataset.labelHide);
  });
}

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

// Reloading should show the same page, not send the last form again. Keycloak has an inline script for this, which our
// Content-Security-Policy does not let run.
const action = document.querySelector("main form[method=post]")?.getAttribute("action");
if (action && location.pathname.includes("/login-actions/")) {
  const address = new URL(action, location.href);
  if (address.origin === location.origin) {
    address.searchParams.delete("session_code");
    history.replaceState({}, "", address);
  }
}

// Forms always lead to the usual address. A page at another one is at the address for key sticks, where a browser that
// shows a good certificate is logged in without seeing any form.
const noStick = document.getElementById("no-stick");
if (noStick && action && new URL(action, location.href).origin !== location.origin) {
  noStick.hidden = false;
  document.getElementById("usual-ways").hidden = true;
}

// A page that comes back out of the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
});
