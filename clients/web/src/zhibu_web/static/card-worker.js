// Keeps the page /cards/check and what it needs, so that it works where there is no network. VERSION, FILES and PAGES are
// written above this by the server; a new version of any file makes a new worker, which forgets what the last one kept.
/* global VERSION, FILES, PAGES */
"use strict";

const KEPT = `card-check-${VERSION}`;
// Keys and revoked cards outlive a new version: without a network there are no others.
const NEWS = "card-check-news";
const KEYS = "/cards/check/keys.json";
const WAIT_MS = 4000;

async function keep() {
  const kept = await caches.open(KEPT);
  // Without cookies: what is kept shows nobody's name.
  await Promise.all([...FILES, ...PAGES].map(async (path) => {
    const response = await fetch(new Request(path, { credentials: "omit", cache: "no-cache" }));
    if (!response.ok) throw new Error(path);
    await kept.put(path, response);
  }));
  await news();
}

async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("card-check-") && name !== KEPT && name !== NEWS)
    .map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function news() {
  const response = await fetch(new Request(KEYS, { credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(WAIT_MS) }));
  if (response.ok) await (await caches.open(NEWS)).put(KEYS, response.clone());
  return response;
}

async function newsOrKept() {
  try {
    const response = await news();
    if (response.ok) return response;
  } catch {
    // No network: the last ones that were fetched.
  }
  return (await (await caches.open(NEWS)).match(KEYS)) || Response.error();
}

async function pageOrKept(request) {
  try {
    return await fetch(request);
  } catch {
    const url = new URL(request.url);
    const kept = await caches.open(KEPT);
    return (await kept.match(url.pathname + url.search)) || kept.match(PAGES[0]);
  }
}

async function fileOrFetched(path, request) {
  return (await (await caches.open(KEPT)).match(path)) || fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(forget()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  const path = url.pathname + url.search;
  if (url.pathname === KEYS) event.respondWith(newsOrKept());
  else if (event.request.mode === "navigate") event.respondWith(pageOrKept(event.request));
  else if (FILES.includes(path)) event.respondWith(fileOrFetched(path, event.request));
});
