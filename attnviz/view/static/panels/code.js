/** The Python function that computed a stage, as it stands in the source. */

import { el } from "../core/dom.js";
import { current } from "./kit.js";
import { offers } from "../matrix/specs.js";

const STEPS = ["x", "q", "scores", "masked", "weights", "context", "output"]; // the stage of each step of the chain
const ALSO = { q: ["q", "k", "v"], masked: ["masked", "scaled"] };
const PROJECTED = new Set(["q", "k", "v"]);
const FIRST = 2; // all stages are open: begin with the scores
const KEYWORDS = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(" "),
);
// strings (triple quoted first), comments, numbers, decorators, names
const LEXER = /((?:[rbfu]{0,2})(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|(#[^\n]*)|(\b\d[\d_.]*(?:[eE][-+]?\d+)?\b)|(@[\w.]+)|([A-Za-z_]\w*)/g;

/**
 * Python source as text nodes and coloured spans.
 * @param {string} source
 * @returns {(string|HTMLElement)[]}
 */
function highlight(source) {
  const parts = [];
  let end = 0;
  let defines = false; // the name after def or class
  for (const match of source.matchAll(LEXER)) {
    const [text, string, comment, number, decorator, name] = match;
    const kind = string ? "string" : comment ? "comment" : number ? "number" : decorator ? "decorator" : KEYWORDS.has(name) ? "keyword" : defines ? "name" : null;
    if (match.index > end) parts.push(source.slice(end, match.index));
    parts.push(kind ? el("span", { class: `avp-py-${kind}` }, text) : text);
    defines = name === "def" || name === "class";
    end = match.index + text.length;
  }
  parts.push(source.slice(end));
  return parts;
}

/** The code by the stages of a site: those it has, with its own scoring function, and no projection where there is none. */
function codeOf(site, { additive, rotated, ...code }) {
  const turned = site.rotary && rotated ? { q: rotated, k: rotated } : {};
  const own = { ...code, ...turned, scores: site.scoring === "additive" ? additive : code.scores };
  return Object.fromEntries(Object.entries(own).filter(([stage]) => offers(site, stage) && !(site.direct && PROJECTED.has(stage))));
}

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const picker = el("div", { class: "avp-code-stages", role: "group", "aria-label": ctx.t("view.panel.code.stages") });
  const name = el("code", { class: "avp-code-name" });
  const copy = el("button", { type: "button", class: "av-button" }, ctx.t("view.panel.code.copy"));
  const source = el("code", {});
  const box = el("pre", { class: "avp-code-source", tabindex: "0", role: "region", "aria-label": ctx.t("view.panel.code.source") }, source);
  const element = el("div", { class: "avp-panel avp-code" }, picker, el("div", { class: "avp-code-bar" }, name, copy), box);
  let stages = []; // those with a button
  let stage = null;
  let step = null; // step of the chain that was followed last
  let code = null; // of the site that the buttons were made for
  let made = ""; // names that site

  function show(next) {
    stage = next;
    const entry = code[stage];
    name.textContent = entry?.name ?? "";
    copy.disabled = !entry;
    source.replaceChildren(...highlight(entry?.source ?? ctx.t("view.panel.code.none")));
    box.scrollTop = 0;
    for (const button of picker.children) button.setAttribute("aria-pressed", String(button.dataset.stage === stage));
  }

  /** The stage of a step, or another name under which its code came. */
  const stageOf = (step) => [STEPS[step], ...(ALSO[STEPS[step]] ?? [])].find((candidate) => stages.includes(candidate)) ?? stages[0];

  picker.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) show(button.dataset.stage);
  });
  copy.addEventListener("click", async () => {
    const done = await copyText(code[stage].source, source);
    ctx.announce(ctx.t(done ? "view.panel.code.copied" : "view.panel.code.select"));
    copy.textContent = ctx.t(done ? "view.panel.code.copied" : "view.panel.code.copy");
    setTimeout(() => (copy.textContent = ctx.t("view.panel.code.copy")), 2000);
  });

  function update(state, changed) {
    const { site } = current(ctx);
    const now = `${ctx.data.header.trace} ${site.name}`;
    const before = made;
    const fresh = before !== now;
    if (fresh) {
      made = now;
      code = codeOf(site, ctx.data.header.code);
      const sources = Object.values(code).map(({ source }) => source);
      stages = Object.keys(code).filter((key, n) => sources.indexOf(code[key].source) === n); // stages of one function share a button
      picker.replaceChildren(...stages.map((key) => el("button", { type: "button", class: "av-button", "data-stage": key }, ctx.t(`view.panel.stage.${key}`))));
    }
    if (fresh || (changed.has("step") && state.step !== step)) {
      step = state.step;
      const kept = before && stages.includes(stage) && !changed.has("step"); // another head: the same stage
      show(kept ? stage : stageOf(state.all && fresh ? FIRST : step));
    }
  }

  return { element, update };
}

/** Copies text; where the clipboard is closed (no https) it selects the source, ready for Ctrl+C, and returns false. */
async function copyText(text, node) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (error.name !== "NotAllowedError") throw error;
    }
  }
  getSelection().selectAllChildren(node);
  return false;
}
