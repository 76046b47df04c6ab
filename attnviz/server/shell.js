/** Names what Streamlit leaves unnamed, and says in the page's language what it says in English; on paper, names the
 * page's address. */
const NAMES = {}; // language -> element -> name; Python fills it in
const WORDS = {}; // language -> what Streamlit says -> what it means there, {} for what comes with it; so does it here

const SAID = ["aria-label", "title", "placeholder", "data-title"];
const SPEAKING = SAID.map((name) => `[${name}]`).join();
/** Where texts are Streamlit's own. */
const OWN = `.gdg-search-bar, .stTooltipContent, [data-live-announcer], [data-testid^="stDataFrame"],
  [data-testid="stSkipToContent"], [data-testid="stFileUploader"], [data-testid="stAudioInput"],
  [data-testid="stStatusWidget"], [data-testid="stWidgetLabelRequired"], [data-testid="InputInstructions"],
  [data-testid="stSelectboxVirtualDropdown"], [data-testid="stConnectionStatus"], [data-testid="stDialog"]`;
/** Where nothing is. */
const OURS = ".stHtml";

/** @type {WeakMap<Node, Record<string, { from: string, to: string }>>} */
const renamed = new WeakMap();

/** @param {string} text @param {Record<string, string>} words */
function meant(text, words) {
  if (Object.hasOwn(words, text)) return words[text];
  for (const [from, to] of Object.entries(words)) {
    const [start, end] = from.split("{}");
    if (end !== undefined && text.length > start.length + end.length && text.startsWith(start) && text.endsWith(end))
      return to.replace("{}", () => text.slice(start.length, text.length - end.length));
  }
  return text;
}

/** @param {Element | Text} node @param {string} name of an attribute; "" for a text @param {Record<string, string>} words */
function rename(node, name, words) {
  const now = node instanceof Element ? node.getAttribute(name) : node.nodeValue;
  if (!now) return;
  const known = renamed.get(node) ?? {};
  const from = known[name]?.to === now ? known[name].from : now;
  const to = meant(from, words);
  if (to !== from) renamed.set(node, { ...known, [name]: { from, to } });
  if (to === now) return;
  if (node instanceof Element) node.setAttribute(name, to);
  else node.nodeValue = to;
}

/** @param {Node} root */
function renameIn(root) {
  const words = WORDS[document.documentElement.lang];
  const top = root instanceof Element ? root : root.parentElement;
  if (!top || top.closest(OURS)) return;
  for (const element of [top, ...top.querySelectorAll(SPEAKING)])
    if (!element.closest(OURS)) for (const name of SAID) rename(element, name, words);
  for (const own of top.closest(OWN) ? [top] : top.querySelectorAll(OWN)) {
    const texts = document.createTreeWalker(own, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) rename(/** @type {Text} */ (texts.currentNode), "", words);
  }
}

/** @param {MutationRecord[]} records */
function mend(records) {
  const names = NAMES[document.documentElement.lang];
  for (const zone of document.querySelectorAll('[data-testid="stFileUploaderDropzone"]')) {
    zone.role = "group"; // it has a label, which "presentation" would hide
    const button = zone.querySelector("button");
    if (button.ariaLabel !== names.choose_file) button.ariaLabel = names.choose_file;
  }
  for (const head of document.querySelectorAll(".stDataFrame canvas th:empty")) head.textContent = names.choose_row;
  for (const { type, target, addedNodes } of records)
    for (const root of type === "childList" ? addedNodes : [target]) renameIn(root);
}
new MutationObserver(mend).observe(document, {
  childList: true,
  subtree: true,
  characterData: true,
  attributeFilter: ["lang", ...SAID],
});

addEventListener("beforeprint", () => {
  /** @type {HTMLElement} */ (document.querySelector(".stMain")).dataset.address = location.href;
});
