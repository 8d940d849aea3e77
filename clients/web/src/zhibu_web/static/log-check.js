// The part of a page on which the proof of an entry is checked, in this browser; the work is log-proof.js.
import { checkEntry, compareCheckpoints } from "./log-proof.js";
import { base64OfBytes, bytesOfBase64 } from "./log-notes.js";

const root = document.getElementById("log-check");
const given = JSON.parse(root.dataset.given);
const words = JSON.parse(root.dataset.words);
const SIGNS = { good: "✓", bad: "✗", unchecked: "–" };
// The newest checkpoint that this browser has seen. It says nothing of anybody.
const MEMORY = "zhibu-log-checkpoint";
const TIME = { timeZone: "Asia/Shanghai", year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function filled(template, values) {
  return template.replace(/\{([a-z]+)\}/g, (whole, name) => values[name] ?? whole);
}

function time(instant) {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? String(instant) : date.toLocaleString(words.language, TIME);
}

function recalled() {
  try {
    return JSON.parse(window.localStorage.getItem(MEMORY));
  } catch {
    return null;
  }
}

function remember(checkpoint) {
  try {
    window.localStorage.setItem(MEMORY, JSON.stringify(checkpoint));
    return true;
  } catch {
    return false;
  }
}

// Only a checkpoint that is signed as it must be is compared with what was seen, and kept.
function compareWithMemory({ steps, checkpoint, key }) {
  if (!["log", "witnesses"].every((name) => steps.find((one) => one.name === name).state !== "bad") || !checkpoint) {
    return { name: "memory", state: "unchecked", reason: "NOT_READ" };
  }
  const now = {
    origin: checkpoint.origin, key: key.text, size: String(checkpoint.size), root: base64OfBytes(checkpoint.root),
    witnesses: given.witnessKeys, quorum: given.quorum,
  };
  const found = { name: "memory", ...compareCheckpoints(recalled(), now) };
  const kept = found.state !== "good" || remember(now);
  return { ...found, ...(kept ? {} : { state: "unchecked", reason: "NO_MEMORY" }), now };
}

function sentence(step, { checkpoint, key }) {
  const values = {
    index: step.index ?? "", size: checkpoint ? String(checkpoint.size) : "", origin: checkpoint ? checkpoint.origin : "",
    count: step.count ?? (step.cosigned ? step.cosigned.length : ""), before: step.before ?? "", key: key ? key.text : "", witness: step.witness ?? "",
    quorum: given.quorum,
  };
  return filled(words.reasons[`${step.name}.${step.reason}`] || words.reasons[step.reason] || words.reasons[`${step.name}.good`], values);
}

function logged(name, value) {
  if (name === "time") return time(value);
  if (name === "outcome") return words.outcomes[value] || value;
  const text = Array.isArray(value) ? value.join(" ") : value;
  return text || words.nothing;
}

// The page's words beside the leaf's: whoever reads sees whether the server says one thing and has logged another.
function table(compared) {
  const made = element("table", "z-table log-words");
  made.append(element("caption", "govuk-visually-hidden", words.caption));
  const head = made.createTHead().insertRow();
  for (const title of [words.field, words.page, words.log, words.same]) {
    const cell = element("th", "", title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = made.createTBody();
  for (const { name, logged: value, same } of compared) {
    const row = body.insertRow();
    const title = element("th", "", words.fields[name]);
    title.scope = "row";
    row.append(title);
    const cells = [[words.page, given.shown[name] || words.nothing], [words.log, logged(name, value)],
      [words.same, same ? `✓ ${words.yes}` : `✗ ${words.no}`]];
    for (const [label, text] of cells) {
      const cell = row.insertCell();
      cell.dataset.label = label;
      cell.append(element("span", "", text));
    }
  }
  return made;
}

function cosignatures(cosigned) {
  const list = element("ul", "govuk-list govuk-list--bullet");
  for (const one of cosigned) {
    const seconds = Number(one.seconds);
    list.append(element("li", "", filled(words.cosigned, { name: one.name, time: time(seconds * 1000) })));
  }
  return list;
}

function keepingOn(button, now) {
  button.addEventListener("click", () => {
    remember(now);
    button.replaceWith(element("p", "govuk-body", words.kept));
  });
  return button;
}

function item(step, result) {
  const made = element("li", `log-step log-step--${step.state}`);
  made.dataset.test = `log-${step.name}`;
  const title = element("h3", "govuk-heading-s");
  const sign = element("span", "log-step__sign", SIGNS[step.state]);
  sign.setAttribute("aria-hidden", "true");
  title.append(sign, ` ${words.steps[step.name]} `, element("span", "log-step__state", words.states[step.state]));
  made.append(title, element("p", "govuk-body", sentence(step, result)));
  if (step.compared) made.append(table(step.compared));
  if (step.cosigned && step.cosigned.length) made.append(cosignatures(step.cosigned));
  if (step.name === "memory" && (step.reason === "OTHER_KEY" || step.reason === "OTHER_WITNESSES")) {
    const button = element("button", "govuk-button govuk-button--secondary", words.keep);
    button.type = "button";
    made.append(keepingOn(button, step.now));
  }
  return made;
}

function show(verdict, text, steps, result) {
  const made = document.getElementById("log-result");
  made.className = `card-result card-result--${{ good: "good", bad: "bad", unchecked: "part" }[verdict]}`;
  made.replaceChildren(element("h2", "govuk-heading-m", `${SIGNS[verdict]} ${words.verdicts[verdict]}`), element("p", "govuk-body", text));
  const list = document.getElementById("log-steps");
  list.replaceChildren(...steps.map((step) => item(step, result)));
}

// What is downloaded is exactly what was checked here.
function offerFiles() {
  const files = { "log-proof-file": [given.proof, "text/plain"], "log-leaf-file": [bytesOfBase64(given.leaf), "application/json"] };
  for (const [id, [content, type]] of Object.entries(files)) {
    document.getElementById(id).href = URL.createObjectURL(new Blob([content], { type }));
  }
}

async function check() {
  document.getElementById("log-no-script").remove();
  root.hidden = false;
  if (!window.crypto || !window.crypto.subtle) {
    show("unchecked", words.noCrypto, [], {});
    return;
  }
  const result = await checkEntry({ ...given, leaf: bytesOfBase64(given.leaf) });
  const steps = [...result.steps, compareWithMemory(result)];
  const states = steps.map((one) => one.state);
  const bad = states.includes("bad"), left = states.filter((one) => one === "unchecked").length;
  const verdict = bad ? "bad" : left ? "unchecked" : "good";
  show(verdict, filled(words.verdictTexts[verdict], { count: left }), steps, result);
  offerFiles();
}

check().catch(() => show("unchecked", words.failed, [], {}));
