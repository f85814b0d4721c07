/** Sessions of onnxruntime-web, all with the same options. Mirrors lookalike/backends/onnx.py. */

const MOST_THREADS = 4; // the networks are small; more threads wait for each other

let ort = null;

/**
 * Start the runtime: two modules, which the page has loaded with their integrity hashes, and the WebAssembly as
 * an ArrayBuffer. Several threads need a page that is isolated from other origins.
 */
export async function startRuntime(module, glue, wasm) {
  ort = await import(module);
  const mayThread = globalThis.crossOriginIsolated && new URL(module).origin === location.origin;
  ort.env.wasm.wasmPaths = { mjs: glue };
  ort.env.wasm.numThreads = mayThread ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  ort.env.wasm.wasmBinary = wasm;
  ort.env.logLevel = "error";
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
