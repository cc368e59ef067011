import { mount } from "svelte";
import "./look.css";
import App from "./App.svelte";
import { loadEngine } from "./engine";
import { start } from "./state.svelte";

const root = document.getElementById("app");
if (root) {
  await loadEngine();
  await start();
  mount(App, { target: root });
}
