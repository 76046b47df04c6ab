/** Numbers and tokens as text. */

const MINUS = "\u2212";
const CONTROL_PICTURES = 0x2400;

/** Three significant digits: 0.0123, 12.3, 1234, 1.23e−5, −∞. */
export function fmt(x) {
  if (Number.isNaN(x)) return "NaN";
  if (x === Infinity) return "∞";
  if (x === -Infinity) return `${MINUS}∞`;
  if (x === 0) return "0";
  const size = Math.abs(x);
  let text;
  if (size < 9.995e-4 || size >= 99999.5) text = x.toExponential(2).replace("e+", "e");
  else if (size >= 999.5) text = x.toFixed(0);
  else text = x.toPrecision(3);
  return text.replaceAll("-", MINUS);
}

const LEAST_SHARE = 1e-4; // of a whole: a smaller share is told as smaller than this

/** As fmt, for a weight or another share of 1. */
export function fmtShare(x) {
  return x > 0 && x < LEAST_SHARE ? "<1e-4" : fmt(x);
}

/** A share of 1 in percent, without the sign. */
export function fmtPercent(x) {
  return x > 0 && x < LEAST_SHARE ? "<0.01" : fmt(100 * x);
}

/** A share of 1 in whole percent, without the sign: 0.996 is "100", what is less than half a percent "<1". */
export function fmtWhole(x) {
  return x > 0 && x < 0.005 ? "<1" : String(Math.round(100 * x));
}

/** As fmt, and a dash for what was not measured. */
export function orDash(x) {
  return Number.isNaN(x) ? "–" : fmt(x);
}

/** As fmt, with fewer digits where three need more than so many letters; for a cell. */
export function fmtCell(x, letters = 6) {
  const text = fmt(x);
  if (text.length <= letters) return text;
  const size = Math.abs(x);
  if (size < 9.995e-4 || size >= 99999.5) return x.toExponential(0).replace("e+", "e").replaceAll("-", MINUS);
  const shorter = [2, 1].map((digits) => x.toPrecision(digits)).find((candidate) => candidate.length <= letters);
  return (shorter ?? x.toExponential(0)).replaceAll("-", MINUS);
}

/** The shortest text that names exactly this float32. */
export function full(x) {
  if (!Number.isFinite(x)) return fmt(x);
  const exact = Math.fround(x);
  for (let digits = 1; digits <= 9; digits += 1) {
    const value = Number(exact.toPrecision(digits));
    if (Math.fround(value) === exact) return String(value).replaceAll("-", MINUS);
  }
  return String(exact).replaceAll("-", MINUS);
}

/** A token with its white space and control characters made visible. */
export function tokenText(label) {
  let text = "";
  for (const character of label) {
    const code = character.codePointAt(0);
    if (character === " ") text += "␣";
    else if (character === "\n") text += "↵";
    else if (character === "\t") text += "⇥";
    else if (code < 0x20) text += String.fromCodePoint(CONTROL_PICTURES + code);
    else if (code === 0x7f) text += "␡";
    else if (isInvisible(code)) text += `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    else text += character;
  }
  return text;
}

/** C1 controls, zero-width characters and direction marks: a lone one would show as nothing. */
function isInvisible(code) {
  return (
    (code >= 0x80 && code <= 0x9f) || code === 0xad || code === 0xfeff ||
    (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069)
  );
}

/** An element for a token: isolated from the direction of the text around it. */
export function tokenElement(label) {
  const element = document.createElement("bdi");
  element.className = "av-token";
  element.textContent = tokenText(label);
  return element;
}
