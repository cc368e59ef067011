// Errors in the languages of the page: every text of the sources has its translation, and what is shown is Korean.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { browser, inBrowser, open, server } from "./browser.mjs";
import { LAB, loadEngine, PAGE, ROOT } from "./engine.mjs";
import { scanned } from "./errors-of-sources.mjs";

const FOLDER = join(ROOT, "crates/pullback/src/messages");
const FILES = readdirSync(FOLDER).filter((name) => name.startsWith("errors."));
const read = (name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
const { outputText } = ts.transpileModule(readFileSync(join(LAB, "src/errors.ts"), "utf8"), { compilerOptions: { module: "esnext", target: "es2022" } });
const { speaker } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);

/** What sources compare texts with, and pieces that `joined` has whole. */
const NOT_SAID = ["unknown field", "unknown variant", "missing field", "; given ", " from {}"];

/** Whether the page's engines hold a template: what only the command can say is in none of them. */
const engines = ["engine.wasm", "training.wasm"].map((name) => readFileSync(join(PAGE, name)));
const isInPage = (template) => engines.some((engine) => template.split("{}").every((part) => part.length < 4 || engine.includes(part)));

test("each text that an engine's errors have is translated, and nothing else is", () => {
  const { all, errors, kinds } = scanned();
  const needed = [...errors].filter(([own]) => /[a-z]{2}/.test(own) && own.trim().includes(" ") && isInPage(own) && !NOT_SAID.includes(own));
  assert.ok(needed.length > 500, `${needed.length} found: does the scanner still read the sources?`);
  for (const name of FILES) {
    const file = read(name);
    assert.deepEqual(Object.keys(file), ["errors", "words", "joined", "others"], name);
    const known = new Set(Object.values(file).flatMap(Object.keys));
    assert.deepEqual(needed.filter(([own]) => !known.has(own)), [], `${name} lacks these, of these files`);
    // A name's kind that only the command has is in no engine.
    assert.deepEqual([...kinds].filter((own) => isInPage(own) && !known.has(own)), [], `${name} lacks these words`);
    const stale = [...Object.keys(file.errors), ...Object.keys(file.words)].filter((own) => !all.has(own));
    assert.deepEqual(stale, [], `no source says these, which ${name} translates`);
  }
});

test("a translation has the places of its template", () => {
  for (const name of FILES)
    for (const [part, entries] of Object.entries(read(name)))
      for (const [template, translation] of Object.entries(entries)) {
        const count = template.match(/\{#?\}/g)?.length ?? 0;
        const places = [...translation.matchAll(/\{(\d*)\}/g)].map(([, number], at) => (number ? Number(number) : at + 1));
        const why = `${name}: ${template}: ${translation}`;
        // What other libraries say of types in Rust is nothing for a reader.
        if (part !== "others") assert.deepEqual([...new Set(places)].sort(), Array.from({ length: count }, (_, at) => at + 1), why);
        assert.ok(places.every((place) => place <= count), why);
        assert.doesNotMatch(translation, /\{\d*\}[`"']?(은|는|이|가|을|를|과|와|으로|로|이었|였)(?![가-힣])|\([은는이가을를으]\)/, `${why}: a particle that its value does not choose`);
        const numbered = translation.match(/\{\d+\}/g)?.length ?? 0;
        assert.ok(numbered === 0 || numbered === places.length, why);
      }
});

test("each template is told from all others", () => {
  for (const name of FILES) {
    const file = read(name);
    const said = speaker(file);
    for (const part of ["errors", "joined", "others"])
      for (const [template, translation] of Object.entries(file[part])) {
        // Of a value that is out of its bounds, and of a table that is none, the English is the same.
        if (template === "{} is {}") continue;
        let last = 0;
        const what = template.replace(/\{#?\}/g, () => `${(last += 11)}`);
        const pieces = translation.split(/(\{[^}]*\})/).map((piece, at) => (at % 2 === 1 ? "[^]*" : piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
        assert.match(said({ what, place: null, help: null }), new RegExp(`^${pieces.join("")}[.]?$`), template);
      }
  }
});

test("a particle goes with what stands before it, and a list of names is quoted one by one", () => {
  const said = speaker({ errors: { "no {}": "{}{이/가} 없습니다", "`{}` to {}": "`{1}`{을/를} {2}{으로/로}", "known are {}": "`{}`{은/는} 압니다", "line {}": "{}번째 줄" }, words: { weight: "가중치", rank: "계급" } });
  const check = (what, text, place = null) => assert.equal(said({ what, place, help: null }), text);
  check("no weight", "가중치가 없습니다.");
  check("no rank", "계급이 없습니다.");
  check("no 3", "3이 없습니다.");
  check("no 2", "2가 없습니다.");
  check("`b` to 8", "`b`를 8로.");
  check("`layer 1` to 6", "`layer 1`을 6으로.");
  check("known are x, weight", "`x`, `weight`는 압니다.");
  check("no such thing at all", "no such thing at all.");
  check("no weight", "`line 2.toml`, 3번째 줄: 가중치가 없습니다.", "line 2.toml, line 3");
});

/** Words of a Korean error that are neither names, which stand in quotes, nor formats. */
function latin(text) {
  const sentences = (text.match(/`[^`]*`|"[^"]*"/g) ?? []).filter((quoted) => /[a-z]{2} [a-z]{2,} [a-z]/.test(quoted));
  const words = text.replace(/`[^`]*`|"[^"]*"/g, "").match(/[A-Za-z]{2,}\d*/g) ?? [];
  return sentences.concat(words).filter((word) => !/^(TOML|JSON|UTF|RMS|GB|safetensors|f32|f64|bf16|F32|F64)$/.test(word));
}

const NETWORK = 'inputs = [0.05, 0.1]\ntargets = [0.01]\n[[layer]]\nweights = [[0.4, 0.45]]\nbiases = [0.6]\nactivation = "sigmoid"\n';
const OPEN = 'inputs = [1, 2]\ntargets = [1]\n[[layer]]\n';
const IMAGE = "inputs = [1, 2, 3, 4]\ntargets = [1]\nimage = { height = 2, width = 2 }\n[[layer]]\n";
const NAMED = "inputs = [1]\ntargets = [1]\nnetwork = ";
const STEP = '[[step]]\nexample = "mazur"\n';
const EXAMPLES = [
  ...["x", "a = ", "a = [1", "a = [1 2]", "a = 1 2", 'a = "b', "a = 1\na = 2", "[a\nb = 1", "a = { b = 1", "a = 1.2.3", "a = truE", "= 2", 'a = "\\q"', "a = 0X12", "a = +-2", "a = 012"],
  ...["{", '{"inputs": [1,', '{"a" 1}', '{"a": [1] "b": 2}', '{"a": nul}', '{"a": 01}'],
  ...["inputs = [1]\ntarget = [1]", "inputs = [1]", "inputs = 3\ntargets = [1]", "inputs = [1, 2]\ntargets = [1]\nlayer = 3"],
  ...["unitz = 3", 'weight_names = [["a"]]', 'unit_names = ["a", "b"]', '[[expect]]\nquantity = "E"', "[[expect]]\nvalue = 1", '[[expect]]\nquantity = "E"\nvalue = 1\nbelow = 2'].map((more) => NETWORK + more),
  ...["learning_rate = -1", "learning_rate = inf", 'optimizer = "adm"', 'optimizer = "lbfgs"', 'optimizer = "adam:beta_1=2"', 'optimizer = "adam:x=2"', 'optimizer = "sgd:1"', 'optimizer = "adam:beta_1=q"', 'cost = "huber:0"', 'cost = "softmax_cross_entrop"', 'notation = "zz"', 'language = "fr"', "version = 9", "version = 1.5", 'l1 = "a"', "l2 = -1", "seed = -1", 'input_names = ["a"]', "input_names = [1]", 'input_names = "a"', 'fixed = ["bias"]', "example_weights = [-1]", "training = 3", "network = 3", "parameters = { a = [1] }", "optimizer_state = { a = [1] }", "clip_norm = 0"].map((more) => `${more}\n${NETWORK}`),
  ...[["[[0.4, 0.45]]", "[[0.4]]"], ["[[0.4, 0.45]]", "[0.4, 0.45]"], ["[[0.4, 0.45]]", "[[0.4, 0.45], [1]]"], ["[0.6]", "[0.6, 1]"], ["[0.05, 0.1]", "[nan, 1]"], ["[0.05, 0.1]", '["a", 1]'], ["sigmoid", "sigmoidd"], ['"sigmoid"', "3"], ["[0.01]", "[0.01, 1]"]].map(([from, to]) => NETWORK.replace(from, to)),
  ...["", "units = 0", 'units = "a"', "units = 2.5", "units = 1\nweights = [[1, 2], [2, 3]]", "units = 1\nscale = [1]", 'kind = "conv"', 'kind = "convolution"', 'kind = "convolution"\nsize = 2\nfilters = 3', 'kind = "dropout"\nrate = 2', 'kind = "dropout"', 'kind = "embedding"\nwidth = 2', 'kind = "attention"\nheads = 2', 'kind = "residual"\nlayers = []', 'kind = "residual"\nlayers = [{ kind = "dense", units = 3 }]'].map((more) => OPEN + more),
  ...['kind = "max_pool"\nsize = 5', 'kind = "max_pool"\nsize = 0'].map((more) => IMAGE + more),
  ...["widht = 2", 'width = "q"', "width = 2, channels = 9", "channels = 1"].map((more) => IMAGE.replace("width = 2", more)),
  ...["{ inputs = 1 }", "{ inputs = 1, layers = [], cost = 'squared_error' }", "{ inputs = 1, layers = [{ kind = 'dens' }], cost = 'squared_error' }", "{ inputs = 1, layers = [{ kind = 'dense' }], cost = 'squared_error' }", "{ inputs = 'a', layers = [], cost = 'squared_error' }", "{ inputs = 1, layers = [{ kind = 'dense', units = 2 }], cost = 'squared_erro' }", "{ inputs = 1, layers = [{ kind = 'activation', function = 'rel' }], cost = 'squared_error' }", "{ inputs = 1, layers = [{ kind = 'dense', units = true }], cost = 'squared_error' }"].map((own) => NAMED + own),
  ...["a = 1", "a = 'x'", "a = 1\nb = 2\nc = 3"].map((at) => `expression = "a*b"\n[at]\n${at}`),
  "expression = 3",
  "expression = 'a'\ninputs = [1]",
  ...["", "(x", "x)", "x +", "x y", "x = y = 2", "= 2", "2 = x", "x @ 2", "foo(x)", "exp(x, y)", "max(x)", "sigmod(x)", "1e999*x", "2", "x^y", "xx * 2", "y =", "*x", `${"(".repeat(300)}x`, "(-2)^x"].map((expression) => JSON.stringify({ expression, at: { x: 1 } })),
].map((text) => ({ op: "open", text, source: "own.toml" }));
const LESSONS = [
  ...["", "[[step]]", "[[stp]]", "step = 3", '[[step]]\nexample = "mazurr"', '[[step]]\nstate = { inputs = [1] }'],
  ...["level = 'unt'", "at = 'fwd'", "at = -1", "cover = ['w5']", "cover = ['gradient.9.0.0']", "cover = ['derivative.a']", "question = 'x'", "question = 'number:w'", "question = { ask = 'a' }", "question = {}", "question = { ask = 'a', choices = ['1', '2'], right = 5 }", "question = { ask = 'a', choices = ['1', '2'] }", "question = { why = 5 }", "state = { inputs = [1] }"].map((more) => STEP + more),
  ...["gradient.1.0.0", "derivative.z"].map((name) => `[[step]]\nstate = { expression = 'a*b', at = { a = 1, b = 2 } }\ncover = ['${name}']`),
].map((text) => ({ op: "lesson", text, source: "lesson.toml" }));

/** What a model's description says, and what it might. */
const MODELS = [
  ['"format":2', '"format":9'],
  ['"units":10', '"units":9'],
  ['"size":3', '"size":0'],
  ['"momentum":0.1', '"momentum":5'],
  ['["0","1"', '["0","0"'],
  ['"spread":9', '"spread":-9'],
  ['"epochs":60', '"epochs":1'],
  ['"learning_rate":0.003', '"learning_rate":-1'],
  ['"kind":"bytes"', '"kind":"byts"'],
  ['"batch":64', '"batch":0'],
  ['"batch":64', '"batch":"x"'],
  ['"patience":20', '"patience":0'],
  ['"augment":"shift:1"', '"augment":"shift:x"'],
  ['"augment":"shift:1"', '"augment":"turn"'],
  ['"kind":"adamw"', '"kind":"adm"'],
  ['"kind":"adamw"', '"kind":"lbfgs"'],
  ['"kind":"adamw","beta_1"', '"kind":"adamw","beta_7"'],
  ['"rising":0.3', '"rising":3'],
  ['"threads":0', '"threads":"x"'],
  ['"beta_1":0.9', '"beta_1":1.9'],
  ['"task":"classes"', '"task":"clases"'],
  ['"shape":[8,8]', '"shape":[8,0]'],
  ['"height":8', '"height":7'],
  ['"image":{"height":8,"width":8,"channels":1},', ""],
  ['"inputs":64', '"inputs":63'],
  ['"function":"relu"', '"function":"rel"'],
  ['"kind":"dense"', '"kind":"dens"'],
  ['"layers":', '"layerz":'],
  ['"cost":"softmax_cross_entropy"', '"cost":"softmax"'],
  ['"padding":"same"', '"padding":"sam"'],
  ['"padding":"same"', '"padding":"valid"'],
  ['"names":["label"]', '"names":["label","label"]'],
  ['"epoch":0', '"epoch":9'],
  ['"training":', '"trainin":'],
  ['"filters":8', '"filters":0'],
  ['"filters":8', '"filters":80000000000'],
  ['"version":"0.1.0"', '"version":3'],
  ['"l2":0.0', '"l2":-1'],
  ['"left_out":[]', '"left_out":3'],
  ['"early_stopping":{', '"early_stopping":{"x":1,'],
  ['"shuffle":true', '"shuffle":"x"'],
  ['"format":2,', ""],
];
/** The same of its list of tensors. */
const TENSORS = [
  ['"layers.0.bias"', '"layers.0.bios"'],
  ['"dtype":"F32"', '"dtype":"F3"'],
  ['"dtype":"F32"', '"dtype":"I32"'],
  ['"shape":[10]', '"shape":[5,2]'],
  ['"shape":[10]', '"shape":[11]'],
  ['"__metadata__"', '"__meta__"'],
  ['"pullback"', '"pulback"'],
];

/** A file of tensors. */
function tensors(header, bytes) {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(bytes)]);
}

test("what the engines refuse is refused in Korean, down to the last word", async () => {
  const ask = await loadEngine();
  const korean = speaker(read("errors.ko.json"));
  const refused = new Map();
  const refuse = (question, file, why = "") => {
    const { error } = ask(question, file).json;
    assert.ok(error, `is not refused: ${JSON.stringify(question)} ${why}`);
    const said = korean(error);
    refused.set(error.what, said);
    assert.deepEqual(latin(said), [], `${error.place}: ${error.what}; ${error.help}\n${said}`);
    assert.match(said, /[가-힣].*[.?]$/s);
  };
  for (const question of [...EXAMPLES, ...LESSONS]) refuse(question);
  const { id } = ask({ op: "open", example: "mazur" }).json.ok;
  for (const address of ["w99", "w55", "2.9.0", "9.0.0", "layers.0.weight[9,9]", "layers.0.weight"]) refuse({ op: "costs", id, address, numbers: [1] });
  refuse({ op: "scene", id, level: "unt", at: 0 });
  refuse({ op: "scene", id, level: "unit", at: 9999 });
  refuse({ op: "scene", id: 77, level: "unit", at: 0 });
  refuse({ op: "open", example: "mazurr" });
  // Trained models, and rows of one.
  const model = readFileSync(join(PAGE, "models/digits.safetensors"));
  const length = Number(model.readBigUInt64LE());
  const header = model.subarray(8, 8 + length).toString();
  const changed = (from, to) => {
    assert.ok(header.includes(from), from);
    return Buffer.concat([tensors(header.replace(from, to), 0), model.subarray(8 + length)]);
  };
  for (const [from, to] of MODELS) refuse({ op: "model" }, changed(from.replaceAll('"', '\\"'), to.replaceAll('"', '\\"')), to);
  for (const [from, to] of TENSORS) refuse({ op: "model" }, changed(from, to), to);
  const one = (shape, dtype = "F32") => ({ w: { dtype, shape, data_offsets: [0, shape.reduce((a, b) => a * b, dtype === "F32" ? 4 : 8)] } });
  const other = (shape, dtype) => tensors(one(shape, dtype), one(shape, dtype).w.data_offsets[1]);
  const infinite = Buffer.from(model);
  infinite.writeFloatLE(Infinity, model.length - 8);
  const broken = [Buffer.alloc(0), Buffer.from("hello"), Buffer.from("hello, this is no model at all"), model.subarray(0, 100), model.subarray(0, model.length - 5), tensors("{]", 0), tensors("{}", 0), tensors(one([2, 2]), 4), tensors('{"w":3}', 0), other([2, 2]), infinite];
  for (const file of broken) refuse({ op: "model" }, file);
  const { id: open } = ask({ op: "model" }, model).json.ok;
  const cells = { image: Array(64).fill(3) };
  for (const more of [{ cells: { image: [1, 2, 3] } }, { cells: {} }, { cells: { image: "x" } }, { cells: 3 }, { member: 7 }, { model: 99 }, { target: ["q"] }, { others: [3] }]) refuse({ op: "row", model: open, cells, target: ["1"], ...more });
  const layers = { op: "tensors", hidden: "relu", output: "identity", cost: "squared_error" };
  for (const file of [other([2]), other([2, 2, 2]), other([2, 2], "I64"), other([800, 800]), Buffer.from("x")]) refuse(layers, file);
  refuse({ ...layers, cost: "squared" }, other([2, 2]));
  // Training.
  const run = { op: "train_open", data: { generated: { set: "circles", points: 100, noise: 0.1, seed: 1 } }, hidden: [4], activation: "tanh", optimizer: "adam", learning_rate: 0.01, batch: 10, seed: 1 };
  const generated = (more) => ({ data: { generated: { ...run.data.generated, ...more } } });
  const given = (points) => ({ data: { given: points } });
  for (const more of [{ activation: "tan" }, { optimizer: "adm" }, { optimizer: "lbfgs" }, { learning_rate: 0 }, { learning_rate: 1e300 }, { l2: -1 }, { hidden: [0] }, { test: 2 }, { hidden: "x" }, { color: 1 }, { data: 3 }, generated({ set: "circle" }), generated({ points: 1 }), { method: "x" }, generated({ noise: -1 }), given([]), given([[1, 2]]), given(Array.from({ length: 40 }, (_, at) => [at, 1, `${at}`]))]) refuse({ ...run, ...more });
  const { id: trained } = ask(run).json.ok;
  for (const more of [{ op: "train_go", step: 999 }, { op: "train_rate", rate: -1 }, { op: "train_surface", size: 1 }, { op: "train_run", steps: 1, id: 77 }, { op: "train_run" }]) refuse({ id: trained, ...more });
  assert.ok(refused.size > 200, `${refused.size} different errors`);
});

inBrowser();

const drop = (page, where, name, bytes) =>
  page.evaluate(
    ([where, name, bytes]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], name));
      document.querySelector(where).dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    [where, name, [...Buffer.from(bytes)]],
  );

test("the Korean page says what is wrong in Korean, and asks for the words only then", async () => {
  const page = await open(browser, `${server.url}#lang=ko&view=step`, { locale: "ko-KR" });
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const alert = page.locator("[role=alert]");
  const check = async (pattern) => {
    await page.waitForFunction(() => /[가-힣]/.test(document.querySelector("[role=alert]")?.textContent ?? ""));
    const text = (await alert.first().innerText()).trim();
    assert.match(text, pattern);
    assert.deepEqual(latin(text), [], text);
  };
  await page.waitForTimeout(300);
  assert.ok(!asked.some((own) => own.includes("errors.")), "no error yet");
  await drop(page, ".step", "own.toml", "inputs = [1\n");
  await check(/`own\.toml`, 1번째 줄: 목록이 닫히지 않았습니다/);
  assert.ok(asked.some((own) => own.endsWith("errors.ko.json")));
  await page.evaluate(() => (location.hash = "#lang=ko&view=step&example=mazurr"));
  await check(/예제 `mazurr`: 없는 이름입니다\. 혹시 `mazur`인가요\?/);
  await page.evaluate(() => (location.hash = "#lang=ko&view=lesson"));
  await page.waitForSelector(".lesson");
  await drop(page, ".lesson", "mine.toml", '[[step]]\nexample = "mazur"\nlevel = "unt"\n');
  await check(/`mine\.toml`, 3번째 줄: 자세한 정도 `unt`/);
  await page.evaluate(() => (location.hash = "#lang=ko&view=model"));
  await page.waitForSelector(".model");
  await drop(page, ".model", "broken.safetensors", "hello");
  await check(/온전한 safetensors 파일이 아닙니다/);
  await page.evaluate(() => (location.hash = "#lang=ko&view=formula&example=circuit"));
  const formula = page.locator("#expression");
  for (const [text, said] of [["(x + y", /빠진 `\)`를 적으세요/], ["foo(x)", /함수 `foo`: 없는 이름입니다/], ["x @ y", /여기서 `@`는 뜻이 없습니다/], ["", /식이 없습니다/]]) {
    await formula.fill(text);
    await page.waitForTimeout(50);
    await check(said);
  }
  // The language may change while it is shown.
  await page.getByRole("button", { name: "English" }).click();
  await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent.trim() === "there is no formula; write one, such as `(x + y) * z`");
  await page.getByRole("button", { name: "한국어" }).click();
  await check(/식이 없습니다/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("without the file of errors they are said in English", async () => {
  const page = await open(browser, `${server.url}#lang=ko&view=step`, { locale: "ko-KR" });
  await page.route("**/errors.ko.json", (route) => route.abort());
  await drop(page, ".step", "own.toml", "inputs = [1\n");
  await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent.includes("own.toml, line 1: unclosed array"));
  await page.context().close();
});
