// Numbers as the engine writes them: so many significant digits, the exponent where it is shorter.

export function short(x: number, digits = 4): string {
  if (!Number.isFinite(x)) return String(x);
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e7) {
    const [mantissa = "0", exponent = "0"] = x.toExponential(digits - 1).split("e");
    return `${trimmed(mantissa)}e${Number(exponent)}`;
  }
  return trimmed(x.toPrecision(digits).includes("e") ? String(Math.round(x)) : x.toPrecision(digits));
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function grouped(x: number, language: string): string {
  return x < 1e15 ? Math.round(x).toLocaleString(language) : short(x, 3);
}
