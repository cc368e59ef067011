// What the engine answers; crates/pullback-wasm and the scene of the library have the same names.

export type Pass = "forward" | "cost" | "backward" | "update";
export type Makes = "values" | "deltas" | "gradients" | "weights";
export type Level = "pass" | "layer" | "example" | "unit" | "term";

export interface Step {
  pass: Pass;
  makes: Makes;
  layer: number | null;
  example: number | null;
  unit: number | null;
  gate: number | null;
  multiply_adds: number;
  start: [number, number];
}

export type Figure =
  | { kind: "circle"; x: number; y: number; r: number }
  | { kind: "box"; x: number; y: number; width: number; height: number }
  | { kind: "line"; from: [number, number]; to: [number, number] }
  | { kind: "text"; x: number; y: number; anchor: "start" | "middle" | "end"; size: number }
  | { kind: "pixels"; x: number; y: number; width: number; height: number; columns: number; levels: number[] }
  | { kind: "way"; from: [number, number]; to: [number, number] };

export interface Shape {
  id: string;
  role: string;
  name: string;
  figure: Figure;
  text: string;
  number?: number;
  pass?: Pass;
  strength?: number;
  is_active: boolean;
  during: [number, number];
}

export interface Source {
  name: string;
  number: string;
  made_in: number | null;
}

export interface Said {
  formula: string;
  numbers: string;
  sources: Source[];
  sentence: string;
}

export interface Scene {
  size: { width: number; height: number };
  name: string;
  formulas: string[];
  sentence: string;
  shapes: Shape[];
  said?: Said;
}

export interface Counts {
  weights: number;
  pass: number;
  back: number;
  forward: number;
  differences: number;
  paths: number;
  path_count: number;
}

/** A worked example in its JSON form: docs/example.schema.json describes it. */
export interface State {
  title?: string;
  notation?: string;
  inputs?: number[] | number[][];
  targets?: number[] | number[][];
  layer?: LayerState[];
  cost?: unknown;
  learning_rate?: number;
  l2?: number;
  expression?: string;
  at?: Record<string, number>;
  [key: string]: unknown;
}

export interface LayerState {
  kind?: string;
  weights?: number[][];
  biases?: number[];
  activation?: string;
  unit_names?: string[];
  weight_names?: string[][];
  [key: string]: unknown;
}

export interface Opened {
  id: number;
  kind: "network" | "formula";
  title: string;
  source: string;
  notation: string;
  state: State;
  rows: number;
  layers?: { name: string; weights: number }[];
  inputs?: number;
  outputs?: number;
  cost?: number;
  cost_after?: number | null;
  counts?: Counts;
  /** Of a formula: its variables, with the derivative of the result, and the one of who does not wait. */
  variables?: { name: string; value: number; derivative: number; hasty: number }[];
  output?: string;
  value?: number;
}

export interface Verified {
  /** What the weight is called. */
  name: string;
  back: number;
  forward: number;
  differences: number;
  step: number;
  noise: number;
}

/** A part of what the command explains. */
export type Block =
  | { kind: "heading" | "text" | "warning"; text: string }
  | { kind: "formula"; text: string; mathml: string | null }
  | { kind: "table"; columns: string[]; rows: string[][] };

export interface Costs {
  costs: number[];
  cost: number;
  number: number;
  gradient: number;
}

/** A question, with what it asks taken out of its scene. */
export interface Quiz {
  question: string;
  kind: "number" | "sign" | "larger";
  text: string;
  choices: string[];
  /** Of several examples: each one's own delta, and what it is multiplied with. */
  parts: [number, number][];
  at: number | null;
  scene: Scene;
}

export interface Judged {
  is_right: boolean;
  /** Whether there is nothing left to guess. */
  is_over: boolean;
  mistake: string | null;
  text: string;
  /** Formula and numbers by turns. */
  made: string[];
}

export interface LessonStep {
  title: string;
  text: string;
  notes: string;
  example: string | null;
  state: State;
  level: Level;
  at: number | "forward" | "cost" | "backward" | "end";
  cover: string[];
  question: { of: string } | { ask: string; choices: string[]; right: number; because: string } | null;
}

export interface Lesson {
  title: string;
  language: string | null;
  steps: LessonStep[];
}
