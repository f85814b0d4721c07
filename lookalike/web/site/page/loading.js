/** Load everything once, check it, keep it for the next visit, and forbid every request after that. */
import { openSession, startRuntime } from "../backends/onnx.js";
import { LookalikeError } from "../errors.js";
import { Mtcnn } from "../faces/mtcnn.js";
import { Lookalikes } from "../finder.js";
import { Gallery } from "../gallery/gallery.js";
import { Cohort, Mixture } from "../models/cohort.js";
import { OnnxEmbedder } from "../models/embedder.js";
import { Scale } from "../models/similarity.js";

const NETWORKS = ["pnet", "rnet", "onet", "compact"];
const FILES = ["model.json", "gallery.json", "gallery", ...NETWORKS.map((name) => `${name}.onnx`)];

/** Return the finder of a site; `site` is what site.json holds. Throw a LookalikeError if it cannot run. */
export async function loadFinder({ runtime, version }) {
  if (typeof WebAssembly !== "object") throw new LookalikeError("web_no_wasm");
  const cache = await globalThis.caches?.open(version).catch(() => null);
  const [wasm, model, about, table, ...networks] = await Promise.all([
    fetched(runtime.wasm, cache, runtime.compressed, runtime.integrity),
    ...FILES.map((name) => fetched(`data/${name}.bin`, cache)),
  ]);
  const settings = json(model);
  const gallery = new Gallery(json(about), table, settings);
  const [module, glue] = [runtime.module, runtime.glue].map((url) => new URL(url, document.baseURI).href);
  await startRuntime(module, glue, wasm).catch(damaged);
  const sessions = {};
  for (const [i, name] of NETWORKS.entries()) sessions[name] = await openSession(new Uint8Array(networks[i])).catch(damaged);
  return new Lookalikes({
    detector: new Mtcnn(sessions),
    embedder: new OnnxEmbedder(sessions.compact, settings),
    gallery,
    scale: new Scale(settings.scale),
    cohort: new Cohort(new Mixture(settings.cohort)),
  });
}

/** From here on the browser refuses every request that a script or an image makes. */
export function forbidRequests({ photos }) {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = `connect-src 'none'; img-src ${photos ? "'self'" : ""} blob: data:`;
  document.head.append(policy);
}

/** Keep the page's own files, so that it opens without a network. */
export async function keepForOffline() {
  if (!navigator.serviceWorker) return;
  const waiting = new Promise((resolve) => setTimeout(resolve, 5000)); // it is no condition for an answer
  const registered = navigator.serviceWorker.register("service-worker.js").then(() => navigator.serviceWorker.ready);
  await Promise.race([registered, waiting]).catch(() => {});
}

/** Return the content of a file, as an ArrayBuffer: what was kept of it, else what the server has. */
async function fetched(url, cache, packed = true, integrity = "") {
  try {
    let response = await cache?.match(url);
    if (!response) {
      response = await fetch(url, { integrity, cache: "no-cache" });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      await cache?.put(url, response.clone()).catch(() => {}); // there may be no room
    }
    const body = packed ? response.body.pipeThrough(new DecompressionStream("gzip")) : response.body;
    return await new Response(body).arrayBuffer();
  } catch (error) {
    await cache?.delete(url);
    return damaged(error);
  }
}

function damaged(error) {
  console.warn(error);
  throw new LookalikeError("web_damaged");
}

function json(buffer) {
  try {
    return JSON.parse(new TextDecoder().decode(buffer));
  } catch (error) {
    return damaged(error);
  }
}
