// Reads and checks signed notes, checkpoints and cosignatures; the same rules as packages/tlog, held to the same examples by
// tests. What is read has one spelling only: strict Base64, numbers without leading zeros.

const LARGEST_NUMBER = 2n ** 63n - 1n;
const LONGEST_NOTE_BYTES = 128 * 1024;
const MOST_SIGNATURES = 100;
const LONGEST_KEY = 1000;
const DASH = "—";
export const ED25519 = 1;
export const COSIGNATURE = 4;
const encoder = new TextEncoder();

export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export function demand(fine, reason) {
  if (!fine) throw new Refused(reason);
}

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

export function bytesOfText(text) {
  return encoder.encode(text);
}

export function bytesOfBase64(text) {
  demand(/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, "MALFORMED");
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  // Unused bits that are set would be another spelling of the same bytes.
  demand(base64OfBytes(bytes) === text, "MALFORMED");
  return bytes;
}

export function base64OfBytes(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

export function hexOfBytes(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function bytesOfHex(text) {
  demand(typeof text === "string" && /^([0-9a-f]{2})*$/.test(text), "MALFORMED");
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

export function areSame(one, other) {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}

export function readNumber(text) {
  demand(/^(0|[1-9][0-9]{0,18})$/.test(text), "MALFORMED");
  const number = BigInt(text);
  demand(number <= LARGEST_NUMBER, "MALFORMED");
  return number;
}

export function readHash(text) {
  const hash = bytesOfBase64(text);
  demand(hash.length === 32, "MALFORMED");
  return hash;
}

// Blanks as Python and Go know them, and control characters.
function checkKeyName(name) {
  demand(name && !/[+\s\u0000-\u001f\u0085]/.test(name), "MALFORMED");
}

async function keyIdOf(name, type, key) {
  return hexOfBytes((await sha256(bytesOfText(`${name}\n`), [type], key)).slice(0, 4));
}

// A vkey: name, identifier, and type with public key, with plus signs between them.
export async function readVerifierKey(text) {
  demand(text.length <= LONGEST_KEY, "MALFORMED");
  const [, name, keyId, data] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) || [];
  demand(data !== undefined, "MALFORMED");
  checkKeyName(name);
  const [type, ...key] = bytesOfBase64(data);
  demand((type === ED25519 || type === COSIGNATURE) && key.length === 32, "MALFORMED");
  demand(await keyIdOf(name, type, key) === keyId, "MALFORMED");
  return { name, keyId, type, key: Uint8Array.from(key), text };
}

function readSignature(line) {
  const [, name, encoded] = /^— ([^ ]*) (.*)$/.exec(line) || [];
  demand(encoded !== undefined, "MALFORMED");
  checkKeyName(name);
  const data = bytesOfBase64(encoded);
  demand(data.length > 4, "MALFORMED");
  return { name, keyId: hexOfBytes(data.slice(0, 4)), signature: data.slice(4) };
}

export function readNote(text) {
  demand(bytesOfText(text).length <= LONGEST_NOTE_BYTES, "MALFORMED");
  demand(!/[\u0000-\u0009\u000b-\u001f]/.test(text), "MALFORMED");
  const end = text.lastIndexOf("\n\n");
  const lines = text.slice(end + 2);
  demand(end >= 0 && lines.startsWith(DASH) && lines.endsWith("\n"), "MALFORMED");
  const signatures = lines.slice(0, -1).split("\n");
  demand(signatures.length <= MOST_SIGNATURES, "MALFORMED");
  return { text: text.slice(0, end + 1), signatures: signatures.map(readSignature) };
}

export function readCheckpoint(text) {
  const lines = text.split("\n");
  demand(lines.pop() === "" && lines.length >= 3 && lines.every((line) => line !== ""), "MALFORMED");
  return { origin: lines[0], size: readNumber(lines[1]), root: readHash(lines[2]) };
}

// True or false; null where this browser has no way to know.
export async function hasSigned(publicKey, signature, message) {
  if (signature.length !== 64) return false;
  let key = null;
  try {
    key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    // A browser without Ed25519 of its own.
  }
  if (key) return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
  let noble;
  try {
    noble = await import("./vendor/noble-ed25519.js");
  } catch {
    return null;
  }
  return noble.verifyAsync(signature, message, publicKey, { zip215: false });
}

function isBy(signature, key) {
  return signature.name === key.name && signature.keyId === key.keyId;
}

// The signature of the log: { state: "good" | "bad" | "unchecked", reason }.
export async function checkLogSignature(note, key) {
  const mine = note.signatures.filter((signature) => isBy(signature, key));
  if (!mine.length) return { state: "bad", reason: "NOT_SIGNED" };
  const found = await Promise.all(mine.map((one) => hasSigned(key.key, one.signature, bytesOfText(note.text))));
  if (found.includes(false)) return { state: "bad", reason: "SIGNATURE_WRONG" };
  return found.includes(null) ? { state: "unchecked", reason: "NO_ED25519" } : { state: "good", reason: "" };
}

// What a cosignature signs (c2sp.org/tlog-cosignature): the time that it states, and the checkpoint.
async function hasCosigned(note, key, signature) {
  if (signature.length !== 72) return { right: false };
  const seconds = signature.slice(0, 8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  if (seconds === 0n || seconds > LARGEST_NUMBER) return { right: false };
  const message = bytesOfText(`cosignature/v1\ntime ${seconds}\n${note.text}`);
  return { right: await hasSigned(key.key, signature.slice(8), message), seconds };
}

// The cosignatures of known witnesses. Two keys of one name, or one key under two names, do not count twice.
export async function checkWitnesses(note, keys, quorum) {
  const found = new Map();
  for (const signature of note.signatures) {
    const key = keys.find((one) => isBy(signature, one));
    if (!key) continue;
    const { right, seconds } = await hasCosigned(note, key, signature.signature);
    if (right === false) return { state: "bad", reason: "COSIGNATURE_WRONG", cosigned: [], witness: key.name };
    if (right === null) return { state: "unchecked", reason: "NO_ED25519", cosigned: [] };
    const before = found.get(key.text);
    if (!before || before.seconds < seconds) found.set(key.text, { name: key.name, key: hexOfBytes(key.key), seconds });
  }
  const cosigned = [...found.values()];
  const names = new Set(cosigned.map((one) => one.name)), publics = new Set(cosigned.map((one) => one.key));
  if (Math.min(names.size, publics.size) < quorum) return { state: "bad", reason: "TOO_FEW_WITNESSES", cosigned };
  return quorum > 0 ? { state: "good", reason: "", cosigned } : { state: "unchecked", reason: "NO_WITNESSES", cosigned };
}
