/** State of the view of a run in the page's address: the step, the head and the sequence, and the cell whose course is shown. */

import { AddressBar } from "../core/address.js";

const bar = new AddressBar();
const NAMES = ["step", "site", "head", "seq", "cell"];

let owner = null; // {run, place}: whose place stands in the address, as far as this page has written or read it

const whole = (text) => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null);
const placeIn = (parameters) => JSON.stringify(NAMES.map((name) => parameters.get(name)));

/**
 * Return what the address names and the run has; {} while it still names the run that was shown before.
 * @param {any} header
 */
export function readPlace(header, search = window.location.search) {
  const parameters = new URLSearchParams(search);
  const place = placeIn(parameters);
  if (owner && owner.run !== header.run && owner.place === place) return {};
  owner = { run: header.run, place };
  const found = {};
  const site = header.sites.findIndex(({ name }) => name === parameters.get("site"));
  const head = whole(parameters.get("head"));
  if (site >= 0) Object.assign(found, { site, head: head !== null && head < header.sites[site].heads ? head : 0 });
  const seq = whole(parameters.get("seq"));
  if (seq !== null && seq < header.sequences.length) found.seq = seq;
  const step = whole(parameters.get("step"));
  if (step !== null) found.at = step;
  const cell = /^(\d{1,5})\.(\d{1,5})$/.exec(parameters.get("cell") ?? "");
  if (cell && header.sites.length) Object.assign(found, { query: Number(cell[1]), key: Number(cell[2]), locked: true, why: true });
  return found;
}

/** Writes the place into the address, a moment after the last change. */
export function writePlace({ at, site, head, seq, query, key, locked, why }, header) {
  const name = header.sites[site]?.name ?? null; // a network without attention has none
  const cell = why && locked && query !== null && key !== null ? `${query}.${key}` : null;
  const values = { step: at, site: name, head: name === null ? null : head, seq: seq || null, cell };
  bar.put(values, (found) => (owner = { run: header.run, place: placeIn(found) }));
}

export const forgetPlace = () => bar.forget();
