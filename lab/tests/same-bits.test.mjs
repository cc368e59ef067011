// The engine in WebAssembly answers to the bit what the library answers on this machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answersNatively, loadEngine, randomState } from "./engine.mjs";

test("traces of 50 networks are the same bits", async () => {
  const questions = [];
  for (let seed = 1; seed <= 50; seed++) {
    questions.push({ op: "open", text: JSON.stringify(randomState(seed)), digits: 17 });
    for (const level of ["unit", "term"]) questions.push({ op: "steps", id: seed, level });
    // All numbers at the end, in full; and those of a step in between.
    questions.push({ op: "scene", id: seed, level: "unit", at: null });
    questions.push({ op: "scene", id: seed, level: "unit", at: 2 });
    questions.push({ op: "verify", id: seed, address: "1.0.0" });
    questions.push({ op: "advance", id: seed, steps: 3 });
    questions.push({ op: "figures", id: seed });
  }
  const ask = await loadEngine();
  const native = answersNatively(questions);
  assert.equal(native.length, questions.length);
  let numbers = 0;
  questions.forEach((question, at) => {
    const own = ask(question);
    assert.ok(own.json.ok !== undefined, `${JSON.stringify(question).slice(0, 300)}: ${own.text.slice(0, 300)}`);
    assert.deepEqual([own.json, own.bits], native[at], JSON.stringify(question).slice(0, 200));
    numbers += own.text.match(/\d\.\d/g)?.length ?? 0;
  });
  assert.ok(numbers > 5000, `${numbers} numbers were compared`);
});

test("a state goes to a file and back unchanged", async () => {
  const ask = await loadEngine();
  for (let seed = 1; seed <= 50; seed++) {
    const open = (text) => {
      const { id, cost } = ask({ op: "open", text }).json.ok;
      return { id, cost, state: ask({ op: "state", id }).json.ok };
    };
    const opened = open(JSON.stringify(randomState(seed)));
    const file = ask({ op: "file", id: opened.id }).json.ok;
    for (const text of [file.toml, JSON.stringify(file.json), JSON.stringify(opened.state)]) {
      const again = open(text);
      assert.deepEqual(again.state, opened.state);
      assert.equal(again.cost, opened.cost);
    }
  }
});

test("what is wrong is told, and nothing breaks", async () => {
  const ask = await loadEngine();
  for (const question of [
    { op: "nothing" },
    { op: "open", text: "inputs = [" },
    { op: "open", example: "mazurr" },
    { op: "scene", id: 999, level: "unit", at: 0 },
    { op: "open", text: JSON.stringify({ inputs: [1], targets: [1], layer: [{ weights: [[1, 2]] }] }) },
    { op: "needs", expression: "(x + " },
  ]) {
    const { error } = ask(question).json;
    assert.ok(error?.what, JSON.stringify(question));
  }
  const { id } = ask({ op: "open", example: "mazur" }).json.ok;
  assert.ok(ask({ op: "scene", id, level: "unit", at: 10_000 }).json.error.help);
  assert.ok(ask({ op: "verify", id, address: "9.9.9" }).json.error.help);
  assert.equal(ask({ op: "scene", id, level: "unit", at: 0 }).json.ok.shapes.length > 10, true);
});
