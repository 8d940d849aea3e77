// Asks the platform to send the current code to the registered telephone. Keycloak itself checks the code.
const TIMEOUT_MS = 15_000;
const TOO_MANY_REQUESTS = 429;

const box = document.getElementById("send-code");
const button = box.querySelector("button");
const status = box.querySelector("[role=status]");
const text = box.dataset;
button.hidden = false;

function say(message, isError) {
  status.textContent = message;
  status.classList.toggle("is-error", isError);
}

function countDown(seconds) {
  // The button itself carries the count: a live region would read out every second.
  button.disabled = true;
  const until = Date.now() + seconds * 1000;
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      button.textContent = text.countdown.replace("%s", String(left));
      return;
    }
    clearInterval(timer);
    button.textContent = text.again;
    button.disabled = false;
  };
  const timer = setInterval(show, 500);
  show();
}

button.addEventListener("click", async () => {
  button.disabled = true;
  say(text.sending, false);
  try {
    const response = await fetch(text.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
      body: JSON.stringify({ eid_number: text.eidNumber }),
      credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) {
      const answer = await response.json();
      say(text.sent, false);
      countDown(answer.resendAfterS || Number(text.waitS));
      document.getElementById("otp").focus();
    } else if (response.status === TOO_MANY_REQUESTS) {
      say(text.tooOften, true);
      countDown(Number(text.waitS));
    } else {
      throw new Error(String(response.status));
    }
  } catch {
    say(text.failed, true);
    button.disabled = false;
  }
});
