/** A walk from cell to cell, each asked about because of the one before; as the address has it. Pure. */

const LONGEST = 12; // cells; of a longer walk the first ones are forgotten
const FIELDS = ["site", "head", "query", "key"];

/** @typedef {{site: number, head: number, query: number, key: number}} Cell */

const written = (cell) => FIELDS.map((name) => cell[name]).join(".");

/** @returns {Cell} */
const read = (text) => /** @type {any} */ (Object.fromEntries(text.split(".").map((part, n) => [FIELDS[n], Number(part)])));

/** Whether a trace has a cell. @param {Cell} cell  @param {{sites: any[], tokens: (name: string) => string[]}} data */
export function isCell({ site, head, query, key }, data) {
  const place = data.sites[site];
  return Boolean(place) && head < place.n_heads && query < data.tokens(place.queries).length && key < data.tokens(place.keys).length;
}

/** The cells of a walk that ends at a cell; [] where it does not, or leads through what the trace does not have. */
export function cellsOf(walk, cell, data) {
  const cells = walk ? walk.split("_").map(read) : [];
  const last = cells.at(-1);
  return last && written(last) === written(cell) && cells.every((each) => isCell(each, data)) ? cells : [];
}

/** The walk that goes on from a cell to another one. @param {Cell[]} cells  of the walk so far */
export function goneOn(cells, from, to) {
  return [...(cells.length ? cells : [from]), to].slice(-LONGEST).map(written).join("_");
}

/** The walk as far as a cell; one that is at its beginning is none. */
export function backTo(cells, at) {
  return at ? cells.slice(0, at + 1).map(written).join("_") : "";
}
