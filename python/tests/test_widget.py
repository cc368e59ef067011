"""The widget in a browser: its module shows the numbers of the page, and is where it is told to be."""

import http.server
import json
import os
import queue
import shutil
import subprocess
import threading

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from pullback import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

#: A notebook's side of a widget: a model of the traits, and what the test wants to know.
HOST = """<!doctype html><meta charset="utf-8"><div id="cell"></div>
<script type="module">
const problems = [];
addEventListener("error", (event) => problems.push(event.message));
addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
try {
  const traits = await (await fetch("traits.json")).json();
  for (const name of Object.keys(traits._files))
    traits._files[name] = new DataView(await (await fetch(`files/${name}`)).arrayBuffer());
  const listeners = [];
  let saved = {};
  const model = {
    get: (name) => traits[name],
    set(name, value) {
      const isNew = traits[name] !== value;
      saved[name] = traits[name] = value;
      if (isNew) listeners.filter(([event]) => event === `change:${name}`).forEach(([, call]) => call());
    },
    save_changes() {},
    on: (event, call) => listeners.push([event, call]),
    off: (event, call) => listeners.splice(listeners.findIndex((own) => own[0] === event && own[1] === call), 1),
  };
  const until = async (what, name) => {
    for (let tries = 0; tries < 600; tries++) {
      const found = what();
      if (found) return found;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`waited for ${name}`);
  };
  const cell = document.getElementById("cell");
  const { default: widget } = await import("./esm.js");
  const end = await widget.render({ model, el: cell });
  const frame = cell.querySelector("iframe");
  const numbers = () => Object.fromEntries(
    [...frame.contentDocument.querySelectorAll("[data-id]")].map((shape) => [shape.dataset.id, shape.textContent]));
  const sentence = () => frame.contentDocument.querySelector(".sentence")?.textContent;
  await until(() => saved.steps > 0, "the first step");
  const first = { ...saved };
  await until(() => sentence() === first.sentence, "its sentence");
  // As `widget.at = 3` in Python does.
  model.set("at", 3);
  await until(() => saved.sentence !== first.sentence && saved.at === 3, "the third step");
  const third = { ...saved };
  // As a click in the frame does.
  frame.contentWindow.dispatchEvent(new frame.contentWindow.KeyboardEvent("keydown", { key: "ArrowRight" }));
  await until(() => saved.at === 4, "a step further");
  model.set("at", null);
  await until(() => saved.at === null, "the end");
  await until(() => Object.keys(numbers()).some((name) => name.startsWith("gradient.")), "the numbers");
  await new Promise((done) => setTimeout(done, 300));
  const shown = numbers();
  end();
  const asked = performance.getEntriesByType("resource").map((entry) => entry.name);
  await fetch("result", { method: "POST", body: JSON.stringify({ first, third, shown, asked, problems, left: listeners.length }) });
} catch (error) {
  await fetch("result", { method: "POST", body: JSON.stringify({ error: String(error), problems }) });
}
</script>"""


def shown(widget, folder):
    """What a browser shows of a widget: a server has the host's page, its traits, and takes what the page found."""
    files = widget._files
    traits = {name: getattr(widget, name) for name in ("_example", "at", "level", "language", "height", "sentence", "steps")}
    traits["_files"] = dict.fromkeys(files)
    content = {
        "/": ("text/html", HOST.encode()),
        "/traits.json": ("application/json", json.dumps(traits).encode()),
        "/esm.js": ("text/javascript", str(widget._esm).encode()),
        **{f"/files/{name}": ("application/octet-stream", own) for name, own in files.items()},
    }
    results = queue.Queue()
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            kind, body = content.get(self.path, (None, b""))
            self.send_response(200 if kind else 404)
            self.send_header("content-type", kind or "text/plain")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            results.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={folder}",
        "--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/",
    ]  # fmt: skip
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = results.get(timeout=120)
    finally:
        browser.kill()
        browser.wait()
        server.shutdown()
        server.server_close()
    assert "error" not in found, found
    assert not found["problems"], found["problems"]
    # Beside what the host itself asks for, nothing was asked of the server.
    assert set(asked) <= {*content, "/favicon.ico"}, asked
    return found


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_the_numbers_of_the_page(tmp_path):
    pytest.importorskip("anywidget")
    X, y = load_iris(return_X_y=True)
    # So small that the picture has room for numbers on edges.
    X, y = StandardScaler().fit_transform(X[:, :2]), y == 0
    clf = MLPClassifier((2,), activation="tanh", alpha=0.0, max_iter=30, random_state=0).fit(X, y)
    page = clf.explain(X[:1], y[:1])
    found = shown(page.widget(), tmp_path)
    assert found["first"]["at"] == 0 and found["third"]["at"] == 3
    assert found["first"]["steps"] == found["third"]["steps"] > 10 and found["left"] == 0
    document, expected = page.to_json(), {}
    for layer in document["layers"]:
        number, inputs = layer["layer"], layer["inputs"]
        for unit, (z, delta) in enumerate(zip(layer["z"][0], layer["delta"][0])):
            expected |= {f"sum.{number}.{unit}": z, f"delta.{number}.{unit}": delta}
        for place, (weight, gradient) in enumerate(zip(layer["weight"], layer["weight_gradient"])):
            name = f"{number}.{place // inputs}.{place % inputs}"
            # At the end the step is done.
            changed = weight - clf.learning_rate_init * gradient
            expected |= {f"weight.{name}": changed, f"gradient.{name}": gradient}
    expected["cost.value"] = document["cost"]
    # An edge has no number where the picture has no room for it.
    read = {name: text for name, text in found["shown"].items() if name in expected and text}
    assert len(read) >= len(expected) - 4 and any(name.startswith("gradient.2") for name in read)
    for name, text in read.items():
        # Four significant digits are shown, behind a letter.
        np.testing.assert_allclose(float(text.split()[-1]), expected[name], rtol=6e-4, err_msg=name)


def test_a_widget_needs_no_more_than_it_says():
    anywidget = pytest.importorskip("anywidget")
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((3,), max_iter=5, random_state=0).fit(X, y)
    widget = clf.explain(X[:1], y[:1], language="ko").widget(level="layer", at=None)
    assert isinstance(widget, anywidget.AnyWidget) and widget.at is None and widget.language == "ko"
    example = json.loads(widget._example)
    assert np.allclose(example["layer"][0]["weights"], clf.coefs_[0].T)
    assert sum(map(len, widget._files.values())) < 2 * 2**20
    with pytest.raises(ValueError, match="level='close' is not known; choose one of 'pass'"):
        clf.explain(X[:1]).widget(level="close")
    large = MLPClassifier((400, 400, 400), max_iter=1, random_state=0, solver="sgd").fit(np.ones((4, 700)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="more than a page can show"):
        large.explain(np.ones((1, 700))).widget()
