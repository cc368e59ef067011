// The step view of the page as a widget: the page's own files in a frame, from addresses that this module makes of bytes
// in memory. Nothing is asked of a server; the engine in the frame computes each number.

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function render({ model, el }) {
  const files = model.get("_files");
  const made = [];
  const address = (content, type) => {
    made.push(URL.createObjectURL(new Blob([content], { type })));
    return made.at(-1);
  };
  const messages = `messages/${model.get("language")}.json`;
  const [engine, script, style, words] = await Promise.all(
    ["engine.wasm", "index.js", "index.css", messages].map((name) => inflated(files[name])),
  );
  const given = {
    "engine.wasm": address(engine, "application/wasm"),
    [messages]: address(words, "application/json"),
    "given.json": address(model.get("_example"), "application/json"),
  };
  const page = `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src blob: 'unsafe-inline' 'wasm-unsafe-eval'; style-src blob: 'unsafe-inline'; img-src blob: data:; connect-src blob:">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="${address(style, "text/css")}">
<div id="app"></div>
<script>
  // The page names its files beside itself, and a blob has no place beside it: they are asked of this one, and given.
  const given = ${JSON.stringify(given)}, ask = fetch, place = "https://page.invalid/";
  Object.defineProperty(document, "baseURI", { value: place });
  globalThis.fetch = (name) => ask(given[new URL(name, place).pathname.slice(1)]);
</script>
<script type="module" src="${address(script, "text/javascript")}"></script>`;

  const frame = document.createElement("iframe");
  Object.assign(frame.style, { width: "100%", height: `${model.get("height")}px`, border: "0" });
  frame.title = "Back propagation, step by step";
  const parts = { view: "step", embed: "1", open: "given.json", level: model.get("level"), lang: model.get("language") };
  const at = model.get("at");
  if (at !== null) parts.at = at;
  frame.src = `${address(page, "text/html")}#${new URLSearchParams(parts)}`;

  // Where the frame is; undefined before it has said so.
  let here;
  const go = () => {
    const at = model.get("at");
    if (here !== undefined && at !== here) frame.contentWindow.postMessage({ pullback: "go", at }, "*");
  };
  const heard = ({ source, data }) => {
    if (source !== frame.contentWindow || data?.pullback !== "step" || data.count === 0) return;
    const isFirst = here === undefined;
    here = data.at;
    // An address without a step is that of the cost, so the end is gone to from there.
    if (isFirst && here !== model.get("at")) return go();
    for (const name of ["at", "level", "sentence"]) model.set(name, data[name]);
    model.set("steps", data.count);
    model.save_changes();
  };
  addEventListener("message", heard);
  model.on("change:at", go);
  el.append(frame);
  return () => {
    removeEventListener("message", heard);
    model.off("change:at", go);
    made.forEach((own) => URL.revokeObjectURL(own));
  };
}

export default { render };
