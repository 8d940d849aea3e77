// Passkeys: the browser's part of log-in and of setting one up. Data come from attributes, answers go back in hidden fields.
function decode(value) {
  const binary = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function encode(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function send(form, fields) {
  for (const [name, value] of Object.entries(fields)) form.elements.namedItem(name).value = value;
  form.submit();
}

const unlessUnspecified = (value) => (value && value !== "not specified" ? value : undefined);
const timeout = (form) => Number(form.dataset.timeoutS) * 1000 || undefined;

async function logIn(form, options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: decode(form.dataset.challenge),
      rpId: form.dataset.rpId,
      timeout: timeout(form),
      userVerification: unlessUnspecified(form.dataset.userVerification),
      allowCredentials: options.allow,
    },
    mediation: options.mediation,
    signal: options.signal,
  });
  const answer = credential.response;
  send(form, {
    clientDataJSON: encode(answer.clientDataJSON),
    authenticatorData: encode(answer.authenticatorData),
    signature: encode(answer.signature),
    credentialId: credential.id,
    userHandle: answer.userHandle ? encode(answer.userHandle) : "",
  });
}

async function offerLogIn(form) {
  const known = form.dataset.userIdentified === "true";
  const allow = known
    ? Array.from(form.querySelectorAll("[data-credential]"), (entry) => ({ id: decode(entry.value), type: "public-key" }))
    : [];
  const waiting = new AbortController();
  const offer = document.getElementById("passkey-offer");
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", async () => {
    waiting.abort();
    try {
      await logIn(form, { allow });
    } catch (error) {
      send(form, { error: String(error) });
    }
  });
  // The browser may also offer a passkey among the suggestions for the number; refusing it is no error.
  if (!known && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    try {
      await logIn(form, { allow: [], mediation: "conditional", signal: waiting.signal });
    } catch {
      // The member went on another way.
    }
  }
}

async function register(form) {
  const data = form.dataset;
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: decode(data.challenge),
      rp: { id: data.rpId, name: data.rpName },
      user: { id: decode(data.userId), name: data.username, displayName: data.username },
      pubKeyCredParams: data.algorithms.split(",").map((algorithm) => ({ type: "public-key", alg: Number(algorithm) })),
      attestation: unlessUnspecified(data.attestation),
      authenticatorSelection: {
        authenticatorAttachment: unlessUnspecified(data.attachment),
        residentKey: unlessUnspecified(data.residentKey),
        requireResidentKey: data.residentKey === "required",
        userVerification: unlessUnspecified(data.userVerification),
      },
      timeout: timeout(form),
      excludeCredentials: data.exclude.split(",").filter(Boolean).map((id) => ({ id: decode(id), type: "public-key" })),
    },
  });
  const answer = credential.response;
  send(form, {
    clientDataJSON: encode(answer.clientDataJSON),
    attestationObject: encode(answer.attestationObject),
    publicKeyCredentialId: credential.id,
    authenticatorLabel: data.label,
    transports: (answer.getTransports?.() ?? []).join(","),
    authenticatorAttachment: credential.authenticatorAttachment ?? "",
  });
}

const login = document.querySelector("form[data-passkey-login]");
if (login && window.PublicKeyCredential) offerLogIn(login);

const registration = document.querySelector("form[data-passkey-register]");
registration?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!window.PublicKeyCredential) {
    send(registration, { error: registration.dataset.unsupported });
    return;
  }
  try {
    await register(registration);
  } catch (error) {
    send(registration, { error: String(error) });
  }
});
