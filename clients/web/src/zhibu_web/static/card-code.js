// Checks the code of an e-ID card without a network; the same rules as libs/card, held to the same examples by tests.
// Everything has one spelling only: what is spelt in another way is refused, signed or not.

const PREFIX = "ZB1:";
const LONGEST_CODE = 1200;
const LEEWAY_S = 300;
const LAST_SECOND = 253402300799; // end of the year 9999
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const CLAIMS = new Map([[4n, "expires"], [6n, "issued"], [7n, "cardId"], [-65537n, "realName"], [-65538n, "countyCode"],
  [-65539n, "countyName"], [-65540n, "numberEnd"]]);

class Malformed extends Error {}

function bytesOfBase32(text) {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let value = 0, bits = 0, at = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new Malformed();
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (value >> bits) & 0xff;
    }
  }
  // What is left over are zeros, and fewer than a character's: otherwise it could be spelt in another way.
  if (bits >= 5 || (value & ((1 << bits) - 1)) !== 0) throw new Malformed();
  return bytes;
}

// Deterministic CBOR (RFC 8949, section 4.2): shortest lengths, definite ones, keys in order and once.
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  whole() {
    const value = this.value();
    if (this.at !== this.bytes.length) throw new Malformed();
    return value;
  }

  take(length) {
    if (length > this.bytes.length - this.at) throw new Malformed();
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  argument(low) {
    if (low < 24) return BigInt(low);
    if (low > 27) throw new Malformed();
    const size = 1 << (low - 24);
    const value = this.take(size).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const smallest = { 1: 24n, 2: 0x100n, 4: 0x10000n, 8: 0x100000000n }[size];
    if (value < smallest) throw new Malformed();
    return value;
  }

  length(argument) {
    if (argument > 4096n) throw new Malformed();
    return Number(argument);
  }

  value() {
    const [first] = this.take(1);
    const argument = this.argument(first & 31);
    switch (first >> 5) {
      case 0: return argument;
      case 1: return -1n - argument;
      case 2: return this.take(this.length(argument));
      case 3: return text(this.take(this.length(argument)));
      case 4: return Array.from({ length: this.length(argument) }, () => this.value());
      case 5: return this.map(this.length(argument));
      case 6: return { tag: argument, value: this.value() };
      default: throw new Malformed();
    }
  }

  map(size) {
    const map = new Map();
    let before = null;
    for (let entry = 0; entry < size; entry += 1) {
      const start = this.at;
      const key = this.value();
      const encoded = this.bytes.slice(start, this.at);
      if (typeof key !== "bigint" || (before && !(follows(encoded, before)))) throw new Malformed();
      before = encoded;
      map.set(key, this.value());
    }
    return map;
  }
}

function follows(one, other) {
  if (one.length !== other.length) return one.length > other.length;
  const place = one.findIndex((byte, index) => byte !== other[index]);
  return place >= 0 && one[place] > other[place];
}

function text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed();
  }
}

function lengthHead(major, length) {
  if (length < 24) return [(major << 5) | length];
  return length < 256 ? [(major << 5) | 24, length] : [(major << 5) | 25, length >> 8, length & 255];
}

// The Sig_structure of COSE (RFC 9052, section 4.4).
function toBeSigned(header, payload) {
  const context = new TextEncoder().encode("Signature1");
  return Uint8Array.from([0x84, ...lengthHead(3, context.length), ...context, ...lengthHead(2, header.length), ...header,
    0x40, ...lengthHead(2, payload.length), ...payload]);
}

function readClaims(map) {
  if (!(map instanceof Map) || map.size !== CLAIMS.size) throw new Malformed();
  const card = {};
  for (const [key, value] of map) {
    const name = CLAIMS.get(key);
    if (!name) throw new Malformed();
    card[name] = value;
  }
  for (const name of ["realName", "countyCode", "countyName", "numberEnd"]) {
    if (typeof card[name] !== "string") throw new Malformed();
  }
  for (const name of ["expires", "issued"]) {
    if (typeof card[name] !== "bigint" || card[name] < 0n || card[name] > BigInt(LAST_SECOND)) throw new Malformed();
    card[name] = Number(card[name]);
  }
  if (!(card.cardId instanceof Uint8Array) || card.cardId.length !== 16) throw new Malformed();
  return card;
}

export function readCode(code) {
  const trimmed = code.trim();
  if (!trimmed.startsWith(PREFIX) || trimmed.length > LONGEST_CODE) throw new Malformed();
  const message = new Reader(bytesOfBase32(trimmed.slice(PREFIX.length))).whole();
  if (message === null || message.tag !== 18n || !Array.isArray(message.value) || message.value.length !== 4) throw new Malformed();
  const [header, unprotected, payload, signature] = message.value;
  if (!(unprotected instanceof Map) || unprotected.size !== 0) throw new Malformed();
  if (![header, payload, signature].every((part) => part instanceof Uint8Array) || signature.length !== 64) throw new Malformed();
  const fields = new Reader(header).whole();
  const keyId = fields instanceof Map ? fields.get(4n) : null;
  if (!(keyId instanceof Uint8Array) || keyId.length !== 8 || fields.size !== 2 || fields.get(1n) !== -8n) throw new Malformed();
  return { card: readClaims(new Reader(payload).whole()), keyId: hex(keyId), signature, signed: toBeSigned(header, payload) };
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOfBase64url(value) {
  return Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

async function isSignedBy(publicKey, signature, signed) {
  let key;
  try {
    key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    // A browser without Ed25519 of its own.
    const noble = await import("./vendor/noble-ed25519.js");
    return noble.verifyAsync(signature, signed, publicKey, { zip215: false });
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, signed);
}

// Returns { good, reason, card }: `reason` as in libs/card, `card` only where the signature is right.
export async function checkCard(code, { keys, revokedCardDigests = [], now }) {
  let read;
  try {
    read = readCode(code);
  } catch (error) {
    if (error instanceof Malformed) return { good: false, reason: "MALFORMED", card: null };
    throw error;
  }
  const key = keys.find((one) => one.keyId === read.keyId && one.algorithm === "EdDSA");
  if (!key) return { good: false, reason: "KEY_UNKNOWN", card: null };
  if (!(await isSignedBy(bytesOfBase64url(key.publicKey), read.signature, read.signed))) {
    return { good: false, reason: "SIGNATURE_WRONG", card: null };
  }
  const { card } = read;
  if (card.issued * 1000 < Date.parse(key.notBeforeTime) || card.expires * 1000 > Date.parse(key.notAfterTime)) {
    return { good: false, reason: "KEY_UNKNOWN", card: null };
  }
  const nowS = now.getTime() / 1000;
  const digest = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", card.cardId)));
  let reason = null;
  if (nowS + LEEWAY_S < card.issued) reason = "NOT_YET_VALID";
  else if (nowS >= card.expires) reason = "EXPIRED";
  else if (revokedCardDigests.includes(digest)) reason = "REVOKED";
  return { good: reason === null, reason, card };
}
