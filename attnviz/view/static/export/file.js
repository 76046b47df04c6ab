/** Text of a CSV file, and handing a file to the person. */

import { full } from "../core/format.js";

/** RFC 4180: quotes around fields with a comma, a quote or a line break; quotes doubled. */
const quoted = (field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

/** A label that a spreadsheet would take for a formula gets an apostrophe in front. */
const guarded = (label) => (/^[=+\-@\t\r]/.test(label) ? `'${label}` : label);

/** The shortest text that names exactly this float32, in ASCII; -inf and nan as numpy reads them. */
function exact(x) {
  if (x === -Infinity) return "-inf";
  if (x === Infinity) return "inf";
  if (Number.isNaN(x)) return "nan";
  return full(x).replaceAll("−", "-");
}

/** @typedef {import("../matrix/axis.js").Axis} Axis */

/** @type {(axis: Axis, at: number) => string} */
const labelOf = ({ kind, labels, index }, at) => (kind === "dims" ? String(index ? index[at] : at) : labels[at]);

/**
 * A matrix with the labels of its axes; the first cell names the axes.
 * @param {{rows: Axis, cols: Axis, names: {rows: string, cols: string}, matrix: import("../core/data.js").Matrix}} spec
 * @returns {string} lines end in CRLF
 */
export function toCsv({ rows, cols, names, matrix }) {
  const text = (label) => quoted(guarded(label));
  const lines = [[text(`${names.rows} \\ ${names.cols}`), ...Array.from({ length: matrix.cols }, (_, c) => text(labelOf(cols, c)))].join(",")];
  for (let r = 0; r < matrix.rows; r++) {
    const fields = [text(labelOf(rows, r))];
    for (let c = 0; c < matrix.cols; c++) fields.push(exact(matrix.data[r * matrix.cols + c]));
    lines.push(fields.join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** Saves a blob under a name, the way a link with a download attribute does. */
export function downloadBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
