/** The messages of a language and the code behind each stage: fetched once, kept by the browser. */

const RETRY_MS = 1000;
const known = new Map(); // address -> promise

/**
 * @typedef {Object} Texts
 * @property {Record<string, string>} strings  messages by key
 * @property {Record<string, {name: string, source: string}>} code  by stage
 */

/**
 * Fetch the messages from the address in a payload, relative to the page, again and again until they come: without them
 * there is nothing to show.
 * @param {string} address
 * @returns {Promise<Texts>}
 */
export function textsAt(address) {
  if (!known.has(address)) known.set(address, ask(new URL(address, document.baseURI).href));
  return known.get(address);
}

async function ask(url) {
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return answer.json();
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  return ask(url);
}

/** The catalogue's text, "{name}" filled in. */
export function textOf({ strings }, key, params = {}) {
  return (strings[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}
