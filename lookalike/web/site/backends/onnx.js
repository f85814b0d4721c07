/** Sessions of onnxruntime-web, all with the same options. Mirrors lookalike/backends/onnx.py. */

const MOST_THREADS = 4; // the networks are small; more threads wait for each other

let ort = null;

/**
 * Start the runtime: two modules with their integrity hashes, and the WebAssembly as an ArrayBuffer. Several threads
 * need a page that is isolated from other origins.
 */
export async function startRuntime({ module, glue, integrity }, wasm) {
  const [main, other] = [module, glue].map((url) => new URL(url, document.baseURI).href);
  await Promise.all([checked(main, integrity.module), checked(other, integrity.glue)]);
  ort = await import(main);
  const mayThread = globalThis.crossOriginIsolated && new URL(main).origin === location.origin;
  ort.env.wasm.wasmPaths = { mjs: other };
  ort.env.wasm.numThreads = mayThread ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  ort.env.wasm.wasmBinary = wasm;
  ort.env.logLevel = "error";
}

/** Load a module, which must have this hash; `import` has no check, but returns what is loaded already. */
function checked(src, integrity) {
  return new Promise((resolve, reject) => {
    const settings = { type: "module", crossOrigin: "anonymous", integrity, src, onload: resolve, onerror: reject };
    document.head.append(Object.assign(document.createElement("script"), settings));
  });
}

/** Load a serialized ONNX model, a Uint8Array. */
export function openSession(model) {
  return ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
}

/** Run a network of one input and one output; return the output as { data, dims }. */
export async function run(session, data, dims) {
  const type = data instanceof Uint8Array ? "uint8" : "float32";
  const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor(type, data, dims) });
  return outputs[session.outputNames[0]];
}
