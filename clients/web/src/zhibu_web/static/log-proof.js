// Checks, in the browser of whoever reads an entry, that the log says what the page says: the proof from the leaf to the root,
// the signatures of the log and its witnesses, the person's own place in the entry. Asks nobody, sends nothing.
import {
  Refused, areSame, bytesOfHex, bytesOfText, checkLogSignature, checkWitnesses, demand, hexOfBytes, joined, readCheckpoint,
  readHash, readNote, readNumber, readVerifierKey, bytesOfBase64, sha256, COSIGNATURE, ED25519,
} from "./log-notes.js";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
const LONGEST_PROOF = 63;
const LONGEST_EXTRA_BYTES = 64 * 1024;
const LONGEST_FILE_BYTES = 256 * 1024;
const OUTCOMES = { done: "ENTRY_OUTCOME_DONE", read: "ENTRY_OUTCOME_READ", refused: "ENTRY_OUTCOME_REFUSED" };
const OF_EVERY_KIND = ["time", "lane"];

// The proof as a file (c2sp.org/tlog-proof): nothing of it is believed before it is checked.
export function readProof(text) {
  demand(bytesOfText(text).length <= LONGEST_FILE_BYTES, "MALFORMED");
  const end = text.indexOf("\n\n");
  demand(end >= 0, "MALFORMED");
  const lines = text.slice(0, end).split("\n");
  demand(lines.shift() === FIRST_LINE, "MALFORMED");
  if (lines.length && lines[0].startsWith("extra ")) {
    demand(bytesOfBase64(lines.shift().slice("extra ".length)).length <= LONGEST_EXTRA_BYTES, "MALFORMED");
  }
  demand(lines.length && lines[0].startsWith("index "), "MALFORMED");
  const index = readNumber(lines.shift().slice("index ".length));
  demand(lines.length <= LONGEST_PROOF, "MALFORMED");
  return { index, hashes: lines.map(readHash), note: readNote(text.slice(end + 2)) };
}

// RFC 9162, section 2.1.3.2.
export async function isIncluded(leaf, index, size, hashes, root) {
  if (index >= size) return false;
  let place = index, last = size - 1n, found = await sha256([0], leaf);
  for (const step of hashes) {
    if (last === 0n) return false;
    if (place & 1n || place === last) {
      found = await sha256([1], step, found);
      while (!(place & 1n) && place) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      found = await sha256([1], found, step);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n && areSame(found, root);
}

export function readLeaf(leaf) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(leaf));
  } catch {
    throw new Refused("NOT_READABLE");
  }
  demand(value !== null && typeof value === "object" && value.v === 1 && typeof value.kind === "string", "NOT_READABLE");
  demand(value.kind !== "row" || (value.row !== null && typeof value.row === "object"), "NOT_READABLE");
  return value;
}

function sameTime(one, other) {
  return Date.parse(one) === Date.parse(other);
}

function sameList(one, other) {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}

// What the page says (`said`, in the codes of the contract) beside what the leaf says. Only what the page says is compared;
// of an entry that is no row of a service, what both have.
export function compareWords(said, leaf) {
  const isRow = leaf.kind === "row";
  const row = isRow ? leaf.row : leaf;
  const logged = {
    time: row.occurred_at || row.at || "",
    lane: leaf.lane || "",
    sequence: String(row.sequence ?? ""),
    action: row.action || "",
    outcome: OUTCOMES[row.outcome] || String(row.outcome || ""),
    reason: row.reason || "",
    offices: Array.isArray(row.offices) ? row.offices : [],
    organisation: row.organisation_id || "",
    account: row.account_id || "",
    member: row.member_id || "",
    service: row.service || "",
    subject: row.subject_id || "",
    count: String(row.subjects_count ?? 0),
  };
  const same = (name) => {
    if (name === "time") return sameTime(said.time, logged.time);
    return name === "offices" ? sameList(said.offices, logged.offices) : said[name] === logged[name];
  };
  return Object.keys(said).filter((name) => isRow || OF_EVERY_KIND.includes(name)).map((name) => ({ name, logged: logged[name], same: same(name) }));
}

// The person's place: SHA-256(salt ‖ id) is one of the places, and all places together are what the entry commits to.
export async function checkPerson(memberId, opening, leaf) {
  const row = leaf.kind === "row" ? leaf.row : {};
  if (!opening) {
    const named = memberId !== "" && (row.subject_id === memberId || row.member_id === memberId);
    return named ? { state: "good", reason: "NAMED" } : { state: "bad", reason: "NOT_NAMED" };
  }
  if (opening.subjectId !== memberId) return { state: "bad", reason: "OTHER_PERSON" };
  const place = hexOfBytes(await sha256(bytesOfHex(opening.salt), bytesOfText(memberId)));
  if (!opening.commitments.includes(place)) return { state: "bad", reason: "NO_PLACE" };
  const places = opening.commitments.map(bytesOfHex);
  const sorted = opening.commitments.every((one, at) => one.length === 64 && (at === 0 || opening.commitments[at - 1] < one));
  const whole = hexOfBytes(await sha256(joined(...places)));
  if (!sorted || whole !== row.subjects_commitment) return { state: "bad", reason: "OTHER_COMMITMENT" };
  return { state: "good", reason: "", count: places.length };
}

async function step(name, work) {
  try {
    return { name, state: "good", reason: "", ...(await work()) };
  } catch (error) {
    if (error instanceof Refused) return { name, state: "bad", reason: error.reason };
    throw error;
  }
}

// All steps in their order, each with `state` (good, bad, unchecked) and `reason`; `checkpoint` where there is one.
// Given are what the page was made from: { leaf, proof, verifierKey, witnessKeys, quorum, said, memberId, opening }.
export async function checkEntry(given) {
  const leafBytes = given.leaf;
  let read = null, checkpoint = null, key = null, witnesses = [], leaf = null;
  const steps = [];
  steps.push(await step("file", async () => {
    const proof = readProof(given.proof);
    checkpoint = readCheckpoint(proof.note.text);
    key = await readVerifierKey(given.verifierKey);
    witnesses = await Promise.all(given.witnessKeys.map(readVerifierKey));
    demand(key.type === ED25519 && witnesses.every((one) => one.type === COSIGNATURE), "MALFORMED");
    demand(checkpoint.origin === key.name, "OTHER_LOG");
    read = proof;
    return { index: String(proof.index) };
  }));
  steps.push(await step("words", async () => {
    leaf = readLeaf(leafBytes);
    const compared = compareWords(given.said, leaf);
    const same = compared.every((one) => one.same);
    return { state: same ? "good" : "bad", reason: same ? "" : "DIFFERS", compared };
  }));
  const unread = { state: "unchecked", reason: "NOT_READ" };
  const withProof = (name, work) => step(name, async () => (read ? work() : unread));
  steps.push(await withProof("tree", async () => {
    const included = await isIncluded(leafBytes, read.index, checkpoint.size, read.hashes, checkpoint.root);
    return included ? {} : { state: "bad", reason: "OTHER_ROOT" };
  }));
  steps.push(await withProof("log", () => checkLogSignature(read.note, key)));
  steps.push(await withProof("witnesses", () => checkWitnesses(read.note, witnesses, given.quorum)));
  if (given.memberId) {
    steps.push(await step("person", async () => (leaf ? checkPerson(given.memberId, given.opening, leaf) : unread)));
  }
  return { steps, checkpoint: read ? checkpoint : null, key };
}

// The checkpoint beside the newest one that this browser has seen; both with origin, key, size and root as text.
export function compareCheckpoints(seen, now) {
  if (!seen) return { state: "good", reason: "FIRST" };
  if (seen.origin !== now.origin || seen.key !== now.key) return { state: "bad", reason: "OTHER_KEY" };
  const before = BigInt(seen.size), size = BigInt(now.size);
  if (size < before) return { state: "bad", reason: "SHORTER", before: seen.size };
  if (size === before && seen.root !== now.root) return { state: "bad", reason: "FORKED", before: seen.size };
  if (sameList(seen.witnesses, now.witnesses) && seen.quorum === now.quorum) return { state: "good", reason: "GROWN", before: seen.size };
  return { state: "unchecked", reason: "OTHER_WITNESSES", before: seen.size };
}
