// Inside another page: it tells the page around it at which step it is, and does what that one asks for.
// The other side is public/pullback-step.js.

import { lab } from "./state.svelte";
import type { Stepping } from "./stepping.svelte";

interface Wish {
  pullback?: unknown;
  at?: unknown;
}

/** Listens as long as the page is inside another; returns what ends that. */
export function speakWithParent(stepping: Stepping): () => void {
  if (window.parent === window) return () => {};
  const heard = (event: MessageEvent<Wish>): void => {
    if (event.source !== window.parent || typeof event.data !== "object" || event.data === null) return;
    const { pullback, at } = event.data;
    if (pullback === "next") stepping.forward();
    else if (pullback === "back") stepping.back();
    else if (pullback === "play") void stepping.play(lab.at === null ? 0 : lab.at + 1, stepping.steps.length, 20);
    else if (pullback === "go" && at === null) stepping.go(null);
    else if (pullback === "go" && typeof at === "number" && Number.isInteger(at)) stepping.go(at);
  };
  addEventListener("message", heard);
  const end = $effect.root(() => {
    $effect(() => {
      const told = {
        pullback: "step",
        view: lab.view,
        level: lab.level,
        at: lab.at,
        count: stepping.steps.length,
        sentence: stepping.scene?.sentence ?? "",
      };
      // Nothing of it is a secret, whoever is around.
      window.parent.postMessage(told, "*");
    });
  });
  return () => {
    removeEventListener("message", heard);
    end();
  };
}
