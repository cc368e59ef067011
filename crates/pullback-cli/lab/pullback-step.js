// A step of back propagation inside any page: <pullback-step src="./#view=step&example=mazur&at=4"></pullback-step>.
//
// `src` is an address that the page gives ("Copy a link to this step"); without one, `example`, `level`, `at` and `lang`
// make it. next(), back(), play() and go(n) move it; go(null) goes to the end. At each step it sends the event "step",
// whose detail has `at`, `count`, `level` and `sentence`. No request goes to any other place.

const HOME = new URL("./", import.meta.url);

class PullbackStep extends HTMLElement {
  static observedAttributes = ["src", "example", "level", "at", "lang", "height"];
  #frame = document.createElement("iframe");
  #heard = (event) => {
    if (event.source !== this.#frame.contentWindow || event.data?.pullback !== "step") return;
    const { at, count, level, sentence, view } = event.data;
    this.dispatchEvent(new CustomEvent("step", { detail: { at, count, level, sentence, view }, bubbles: true }));
  };

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    this.style.display ||= "block";
    Object.assign(this.#frame.style, { width: "100%", border: "0", borderRadius: "16px" });
    root.append(this.#frame);
  }

  connectedCallback() {
    addEventListener("message", this.#heard);
    this.#load();
  }

  disconnectedCallback() {
    removeEventListener("message", this.#heard);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#load();
  }

  #load() {
    const address = new URL(this.getAttribute("src") ?? "./", HOME);
    const parts = new URLSearchParams(address.hash.slice(1));
    for (const name of ["example", "level", "at", "lang"]) {
      const value = this.getAttribute(name);
      if (value !== null) parts.set(name, value);
    }
    parts.set("embed", "1");
    address.hash = parts;
    this.#frame.style.height = `${Number(this.getAttribute("height")) || 640}px`;
    this.#frame.title = this.getAttribute("title") ?? "Pullback";
    if (this.#frame.src !== address.href) this.#frame.src = address.href;
  }

  #send(pullback, more = {}) {
    this.#frame.contentWindow?.postMessage({ pullback, ...more }, HOME.origin === "null" ? "*" : HOME.origin);
  }

  next() {
    this.#send("next");
  }

  back() {
    this.#send("back");
  }

  play() {
    this.#send("play");
  }

  go(at) {
    this.#send("go", { at });
  }
}

customElements.define("pullback-step", PullbackStep);
