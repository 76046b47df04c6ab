/** The changes that a place offers, as the text of `attnviz.edits.text`. */

/** In place of a head, a query, a key or pairs: all of them. */
export const EVERY = "*";

/** A text inside an edit, as `attnviz.edits.text` reads it. Pure. */
export const escaped = (text) => text.replace(/[%:;\s]/g, (letter) => (letter === " " ? letter : encodeURIComponent(letter)));

/**
 * The changes of a place: [group, entries], an entry being [name, edit, what it does not mean]. Pure.
 * @param {{site: {name: string}, head: number, query: number|null, key: number|null}} place
 * @returns {[string, [string, string, string][]][]}
 */
export function changesOf({ site: { name: site }, head, query, key }) {
  const at = `${site}:${head}`;
  const cuts = (q, k) => [["cut.head", `cut:${at}:${q}:${k}`, "cut"], ["cut.layer", `cut:${site}:${EVERY}:${q}:${k}`, "cut"]];
  const groups = [];
  if (query !== null && key !== null) groups.push(["edge", cuts(query, key)]);
  if (query !== null) groups.push(["query", [...cuts(query, EVERY), ["patch", `patch:${at}:${query}`, "patch"]]]);
  if (key !== null) groups.push(["key", cuts(EVERY, key)]);
  groups.push(["head", [
    ["off", `off:${at}`, "off"], ["off-mean", `off:${at}:mean`, "off-mean"], ["sharpen", `temperature:${at}:0.5`, "temperature"],
    ["flatten", `uniform:${at}`, "uniform"], ["double", `scale:${at}:2`, "scale"], ["reverse", `scale:${at}:-1`, "scale"],
    ["patch", `patch:${at}:${EVERY}`, "patch"],
  ]]);
  return groups;
}

