import { mount } from "svelte";
import "./look.css";
import App from "./App.svelte";
import { loadEngine } from "./engine";
import { rememberedTheme, setTheme, start, watchTheme } from "./state.svelte";

// Before the engine is there, so that nobody sees the other theme flash.
setTheme(rememberedTheme());
watchTheme();
const root = document.getElementById("app");
if (root) {
  await loadEngine();
  await start();
  mount(App, { target: root });
}
