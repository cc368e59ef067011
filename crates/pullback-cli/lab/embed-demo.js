// The buttons of embed.html.
const step = document.getElementById("demo");
const on = (id, act) => document.getElementById(id).addEventListener("click", act);
on("back", () => step.back());
on("next", () => step.next());
on("begin", () => step.go(0));
on("end", () => step.go(null));
step.addEventListener("step", (event) => {
  const { at, count } = event.detail;
  document.getElementById("where").textContent = `${(at ?? count) + 1} / ${count + 1}`;
});
