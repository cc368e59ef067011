// Colors of classes and of numbers with a sign, on canvases; of both themes, from the page's own style.

export type Color = [number, number, number];

/** A color of the page in the theme that is shown: the browser resolves it where it is used, and nowhere else. */
function color(name: string): Color {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const [r = 0, g = 0, b = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
  probe.remove();
  return [r, g, b];
}

export interface Palette {
  paper: Color;
  classes: Color[];
}

let known: { ground: string; palette: Palette } | undefined;

/** The colors of the present theme. They are asked for at every frame, and looked up when the page's ground is another. */
export function palette(): Palette {
  const ground = getComputedStyle(document.body).backgroundColor;
  if (known?.ground === ground) return known.palette;
  const palette = {
    paper: color("--paper"),
    classes: [0, 1, 2, 3, 4, 5].map((own) => color(`--class-${own}`)),
  };
  known = { ground, palette };
  return palette;
}

export function css([r, g, b]: Color): string {
  return `rgb(${r} ${g} ${b})`;
}

export function mixed(from: Color, to: Color, share: number): Color {
  return [0, 1, 2].map((at) => (from[at] ?? 0) + ((to[at] ?? 0) - (from[at] ?? 0)) * share) as Color;
}

/** How many shades lead from a color to another. */
export const SHADES = 64;

/** Shades from a color to a share of others, one list behind the other, as pixels. */
export function shades(from: Color, to: Color[], least: number, most: number): Uint32Array {
  const all = new Uint32Array(SHADES * to.length);
  to.forEach((color, list) => {
    for (let at = 0; at < SHADES; at++) {
      const [r, g, b] = mixed(from, color, least + ((most - least) * at) / (SHADES - 1));
      all[list * SHADES + at] = (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
    }
  });
  return all;
}

/** Paints pixels, each by its place in a list of shades. */
export function paint(canvas: HTMLCanvasElement, size: number, list: Uint32Array, shadeAt: (at: number) => number): void {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = list[shadeAt(at)] ?? 0;
  context.putImageData(image, 0, 0);
}

/** The place of a number with a sign, of which the largest has a size: of two lists, the first is for those below 0. */
export function signed(value: number, most: number): number {
  if (!Number.isFinite(value)) return 0;
  return (value >= 0 ? SHADES : 0) + Math.round((SHADES - 1) * Math.min(1, Math.abs(value) / most));
}

/** The signs of classes: told apart without color. */
export function sign(context: CanvasRenderingContext2D, which: number, x: number, y: number, r: number): void {
  context.beginPath();
  const corners = (count: number, turn: number, size: number): void => {
    for (let at = 0; at < count; at++) {
      const angle = (2 * Math.PI * at) / count + turn;
      context.lineTo(x + size * Math.cos(angle), y + size * Math.sin(angle));
    }
    context.closePath();
  };
  if (which === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (which === 1) corners(4, Math.PI / 4, r * 1.25);
  else if (which === 2) corners(3, -Math.PI / 2, r * 1.4);
  else if (which === 3) corners(4, 0, r * 1.4);
  else if (which === 4) corners(3, Math.PI / 2, r * 1.4);
  else corners(6, 0, r * 1.25);
}
