/** Load everything once, check it, keep it for the next visit, and forbid every request after that. */
import { openSession, startRuntime } from "../backends/onnx.js";
import { LookalikeError } from "../errors.js";
import { Mtcnn } from "../faces/mtcnn.js";
import { Lookalikes } from "../finder.js";
import { Gallery } from "../gallery/gallery.js";
import { OnnxEmbedder } from "../models/embedder.js";
import { unitRows } from "../numbers.js";
import { element } from "./results.js";

const NETWORKS = ["pnet", "rnet", "onet", "compact"];
const FILES = ["model.json", "gallery.json", "gallery", "cohort", ...NETWORKS.map((name) => `${name}.onnx`)];
const PATIENCE = 5000; // milliseconds: keeping the files is no condition for an answer

/** Return the finder of a site; `site` is what site.json holds. Throw a LookalikeError if it cannot run. */
export async function loadFinder({ runtime, version }) {
  if (typeof WebAssembly !== "object") throw new LookalikeError("web_no_wasm");
  const cache = await globalThis.caches?.open(version).catch(() => null);
  try {
    const [wasm, settings, about, table, strangers, ...networks] = await Promise.all([
      fetched(runtime.wasm, cache, runtime.compressed, runtime.integrity.wasm),
      ...FILES.map((name) => fetched(`data/${name}.bin`, cache)),
    ]);
    const model = json(settings);
    const gallery = new Gallery(json(about), table, model);
    await startRuntime(runtime, wasm);
    const sessions = {};
    for (const [i, name] of NETWORKS.entries()) sessions[name] = await openSession(new Uint8Array(networks[i]));
    return new Lookalikes({
      detector: new Mtcnn(sessions),
      embedder: new OnnxEmbedder(sessions.compact, model.size),
      gallery,
      scale: model.scale,
      cohort: { rows: unitRows(Float32Array.from(new Int8Array(strangers)), model.dim), reach: model.reach },
    });
  } catch (error) {
    if (error instanceof LookalikeError) throw error;
    console.warn(error);
    throw new LookalikeError("web_damaged");
  }
}

/** From here on the browser refuses every request that a script or an image makes. */
export function forbidRequests({ photos }) {
  const content = `connect-src 'none'; img-src ${photos ? "'self'" : ""} blob: data:`;
  document.head.append(element("meta", { "http-equiv": "Content-Security-Policy", content }));
}

/** Keep the page's own files, so that it opens without a network. */
export async function keepForOffline() {
  if (!navigator.serviceWorker) return;
  const waiting = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const registered = navigator.serviceWorker.register("service-worker.js").then(() => navigator.serviceWorker.ready);
  await Promise.race([registered, waiting]).catch(() => {});
}

/** Return the content of a file, as an ArrayBuffer: what was kept of it, else what the server has. */
async function fetched(url, cache, packed = true, integrity = "") {
  let response = await cache?.match(url);
  if (!response) {
    response = await fetch(url, { integrity, cache: "no-cache" });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    await cache?.put(url, response.clone()).catch(() => {}); // there may be no room
  }
  const body = packed ? response.body.pipeThrough(new DecompressionStream("gzip")) : response.body;
  try {
    return await new Response(body).arrayBuffer();
  } catch (error) {
    await cache?.delete(url);
    throw error;
  }
}

const json = (buffer) => JSON.parse(new TextDecoder().decode(buffer));
