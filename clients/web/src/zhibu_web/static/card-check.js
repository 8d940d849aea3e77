// The page /cards/check: a code typed, photographed or scanned is checked in this browser; nothing of it is sent anywhere.
import { checkCard } from "./card-code.js";

const root = document.getElementById("card-check");
const words = JSON.parse(root.dataset.words);
const result = document.getElementById("card-result");
const field = document.getElementById("card-code");
const video = document.getElementById("card-video");
const camera = document.getElementById("card-camera");
const stop = document.getElementById("card-stop");
const SCAN_EVERY_MS = 200;
let stream = null;

function line(term, value) {
  const row = document.createElement("div");
  row.className = "govuk-summary-list__row";
  for (const [tag, name, content] of [["dt", "key", term], ["dd", "value", value]]) {
    const part = document.createElement(tag);
    part.className = `govuk-summary-list__${name}`;
    part.textContent = content;
    row.append(part);
  }
  return row;
}

function show(kind, heading, lines, notes) {
  result.replaceChildren();
  result.className = `card-result card-result--${kind}`;
  const title = document.createElement("h2");
  title.className = "govuk-heading-m";
  title.textContent = heading;
  result.append(title);
  if (lines.length) {
    const list = document.createElement("dl");
    list.className = "govuk-summary-list";
    list.append(...lines);
    result.append(list);
  }
  for (const note of notes) {
    const paragraph = document.createElement("p");
    paragraph.className = "govuk-body";
    paragraph.textContent = note;
    result.append(paragraph);
  }
  result.focus();
}

function day(seconds) {
  return new Date(seconds * 1000).toLocaleDateString(words.language, { timeZone: "Asia/Shanghai" });
}

async function known() {
  const response = await fetch("/cards/check/keys.json", { credentials: "omit" });
  if (!response.ok) throw new Error("no keys");
  return response.json();
}

async function check(code) {
  if (!code.trim()) {
    show("bad", words.empty, [], []);
    return;
  }
  let kept;
  try {
    kept = await known();
  } catch {
    show("bad", words.noKeys, [], []);
    return;
  }
  const { good, reason, card } = await checkCard(code, { ...kept, now: new Date() });
  const lines = card
    ? [line(words.name, card.realName), line(words.county, card.countyName), line(words.number, card.numberEnd),
      line(words.issued, day(card.issued)), line(words.expires, day(card.expires))]
    : [];
  const asOf = new Date(kept.asOfTime).toLocaleString(words.language, { timeZone: "Asia/Shanghai" });
  const notes = [...(good ? [words.compare] : []), words.asOf.replace("{time}", asOf)];
  show(good ? "good" : "bad", good ? words.good : words.reasons[reason], lines, notes);
}

async function detector() {
  if ("BarcodeDetector" in window && (await window.BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    return new window.BarcodeDetector({ formats: ["qr_code"] });
  }
  const { BarcodeDetector } = await import("./vendor/qr-decode.js");
  return new BarcodeDetector({ formats: ["qr_code"] });
}

async function codeIn(source, reader) {
  const found = await (reader || await detector()).detect(source);
  return found.map((one) => one.rawValue).find((value) => value.startsWith("ZB1:")) || "";
}

async function fromPicture(file) {
  try {
    const code = await codeIn(await createImageBitmap(file));
    if (code) {
      field.value = code;
      await check(code);
      return;
    }
  } catch {
    // Not a picture, or one that no reader can make anything of: said below.
  }
  show("bad", words.noCode, [], []);
}

function stopCamera() {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  video.hidden = true;
  stop.hidden = true;
  camera.hidden = false;
}

async function scan() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    show("bad", words.noCamera, [], []);
    return;
  }
  video.hidden = false;
  stop.hidden = false;
  camera.hidden = true;
  video.srcObject = stream;
  await video.play();
  const reader = await detector();
  while (stream) {
    const code = video.readyState >= 2 ? await codeIn(video, reader).catch(() => "") : "";
    if (code) {
      stopCamera();
      field.value = code;
      await check(code);
      return;
    }
    await new Promise((wake) => { window.setTimeout(wake, SCAN_EVERY_MS); });
  }
}

document.getElementById("card-form").addEventListener("submit", (event) => {
  event.preventDefault();
  check(field.value);
});
document.getElementById("card-picture").addEventListener("change", (event) => {
  if (event.target.files.length) fromPicture(event.target.files[0]);
  event.target.value = "";
});
if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia) {
  camera.hidden = false;
  camera.addEventListener("click", scan);
  stop.addEventListener("click", stopCamera);
}
root.hidden = false;
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/cards/check/worker.js", { scope: "/cards/check" });
  navigator.serviceWorker.ready.then(() => { document.getElementById("card-offline").hidden = false; });
}
