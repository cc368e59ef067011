// The ten chapters of the story: which example each is about, what one does there, and what is asked.

import type { State } from "./types";

export type Chapter = {
  name: string;
  /** The example; that of the visitor's language without one. */
  state?: State;
  /** The questions; the chapter is done when they are answered. */
  questions: string[];
  /** The end of a pass that is shown first. */
  shows: "forward" | "cost" | "backward" | "end";
};

const ONE_UNIT: State = {
  title: "",
  inputs: [1, 0.5],
  input_names: ["x1", "x2"],
  targets: [1],
  learning_rate: 0.5,
  cost: "squared_error",
  layer: [
    {
      weights: [[0.8, -0.4]],
      biases: [0.1],
      activation: "sigmoid",
      unit_names: ["o"],
      weight_names: [["w1", "w2"]],
      bias_names: ["b"],
    },
  ],
};

/** A network whose weights are drawn: so many layers of so many units, and an output. */
export function drawn(layers: number, units: number, activation: string, inputs = 2, outputs = 2): State {
  const hidden = Array.from({ length: layers }, () => ({ units, activation }));
  return {
    title: "",
    seed: 3,
    inputs: Array.from({ length: inputs }, (_, at) => [0.3, -0.6, 0.9, -0.2][at % 4] ?? 0),
    targets: Array.from({ length: outputs }, (_, at) => (at === 0 ? 1 : 0)),
    learning_rate: 0.5,
    cost: "squared_error",
    layer: [...hidden, { units: outputs, activation: "sigmoid" }],
  };
}

export const DEEP = 100;

export const CHAPTERS: Chapter[] = [
  { name: "unit", state: ONE_UNIT, shows: "forward", questions: ["number:sum.1.0"] },
  { name: "cost", state: ONE_UNIT, shows: "cost", questions: ["number:cost"] },
  { name: "tries", shows: "cost", questions: ["sign:gradient.2.0.0"] },
  { name: "explodes", state: drawn(2, 3, "sigmoid"), shows: "cost", questions: ["number:tries"] },
  { name: "edge", shows: "backward", questions: ["number:passed.2.0.0"] },
  { name: "sum", shows: "backward", questions: ["number:arriving.1.0", "number:delta.1.0"] },
  { name: "gradient", shows: "backward", questions: ["number:gradient.1.0.0"] },
  { name: "update", shows: "end", questions: ["number:weight.2.0.0"] },
  { name: "once", state: drawn(2, 3, "sigmoid"), shows: "cost", questions: ["number:paths.1.0.0"] },
  { name: "deep", state: drawn(DEEP - 1, 16, "sigmoid"), shows: "backward", questions: [`larger:norm.1,norm.${DEEP}`] },
];
