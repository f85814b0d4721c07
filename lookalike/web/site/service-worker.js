/** Answers the page's requests for its own files from what was kept, so that it works without a network. */
const VERSION = "$VERSION"; // changes with every file of the site
const FILES = $FILES;

self.addEventListener("install", (event) => {
  const requests = FILES.map((url) => new Request(url, { cache: "no-cache" }));
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(requests)));
});

self.addEventListener("activate", (event) => {
  const outdated = (names) => names.filter((name) => name.startsWith("lookalike-") && name !== VERSION);
  event.waitUntil(caches.keys().then((names) => Promise.all(outdated(names).map((name) => caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const kept = caches.open(VERSION).then((cache) => cache.match(event.request, { ignoreSearch: true }));
  event.respondWith(kept.then((response) => response ?? fetch(event.request)));
});
