/** Addresses to hand on: what a page shows now, for a friend, a class or a frame. Pure. */

import { oneOf } from "../core/address.js";

/** What may stand in a frame or on a wall, by the names in the address. */
export const PARTS = ["answer", "heads", "weights", "lines", "chain"];

const EMBEDDED = ["answer", "weights", "lines"]; // where a frame names none
const FRAME = { width: 900, height: 560 };
const OWN = ["embed", "show", "present", "tour"]; // said of the page that is left behind

/** The names in a list; undefined: one of them is none. */
function partsOf(text) {
  const names = text.split(",");
  return names.every((name) => PARTS.includes(name)) ? text : undefined;
}

/** Fields of the state. @type {Record<string, import("../core/address.js").Field>} */
export const SHOW_FIELDS = {
  present: oneOf(false, [false, true]),
  show: { start: "", read: partsOf },
  tour: { ...oneOf(0, [0, 1, 2, 3, 4, 5, 6, 7]), isStep: true },
};

/** The parts that are shown; null: all of them. */
export function shownParts(show, isEmbedded) {
  if (show) return show.split(",");
  return isEmbedded ? EMBEDDED : null;
}

/** Streamlit's own parameter, to which the server turns a link's "theme". */
const OPTIONS = "embed_options";
const THEME = /^(light|dark)_theme$/;

/** The theme that the page's address asks for; "" where it is the reader's own. */
export const themeOf = (href) => new URL(href).searchParams.getAll(OPTIONS).flatMap((option) => THEME.exec(option)?.[1] ?? []).at(0) ?? "";

/** The same page with other parameters; null takes one out. */
export function linkWith(href, parameters) {
  const url = new URL(href);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** The whole page behind a frame, in a theme; "": in the reader's own. */
export function wholeLink(href, theme = themeOf(href)) {
  const url = new URL(linkWith(href, { ...Object.fromEntries(OWN.map((name) => [name, null])), theme: theme || null }));
  const options = url.searchParams.getAll(OPTIONS).filter((option) => !THEME.test(option));
  url.searchParams.delete(OPTIONS);
  for (const option of options) url.searchParams.append(OPTIONS, option);
  return url.href;
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

/** The HTML of a frame with a whole page's view in it. */
export function frameCode(whole, title, show = EMBEDDED.join()) {
  const src = linkWith(whole, { embed: "true", show });
  const { width, height } = FRAME;
  return `<iframe src="${escaped(src)}" title="${escaped(title)}" width="${width}" height="${height}" style="border: 0" loading="lazy"></iframe>`;
}
