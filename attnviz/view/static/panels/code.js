/** The Python that gives what is on screen, and the function that computed each stage, as it stands in the source. */

import { copyText } from "../core/copy.js";
import { el } from "../core/dom.js";
import { offers } from "../matrix/specs.js";
import { current } from "./kit.js";
import { Panel } from "./panel.js";

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

/**
 * The code by the stages of a site: those it has, with its own scoring function, and no projection where there is none.
 * @param {{kind: string}} model  another library's makes q, k and v in its own way
 * @param {any} site
 * @param {any} code  "additive" stands in place of "scores" where that is how a site scores, "rotated" in place of "q" and "k"
 */
export function codeOf({ kind }, site, { additive, rotated, ...code }) {
  const turned = site.rotary ? { q: rotated, k: rotated } : {};
  const own = { ...code, ...turned, scores: site.scoring === "additive" ? additive : code.scores };
  const known = (stage) => offers(site, stage) && !(PROJECTED.has(stage) && (kind || site.direct));
  return Object.fromEntries(Object.entries(own).filter(([stage]) => known(stage)));
}

/**
 * The lines of Python that give what a view shows: `code` are those of the trace, and what follows for a place in it.
 * @param {Record<string, string>} code  see `attnviz.edits.code`
 */
export function viewCode(code, { site, head, query, key, locked }) {
  const lock = !locked ? "none" : query === null ? (key === null ? "none" : "key") : key === null ? "query" : "pair";
  const fill = (line) => line.replace(/\{(\w+)\}/g, (_, name) => String({ site, head, query, key }[name]));
  return [code.trace, fill(code.head), fill(code[lock])].join("\n");
}

export class CodePanel extends Panel {
  static id = "code";

  constructor(ctx) {
    super(ctx);
    const { t } = this;
    this.picker = el("div", { class: "avp-code-stages", role: "group", "aria-label": t("view.panel.code.stages") });
    this.name = el("code", { class: "avp-code-name" });
    this.copy = el("button", { type: "button", class: "av-button", on: { click: () => this.copySource() } }, t("view.panel.code.copy"));
    this.source = el("code");
    this.box = el("pre", { class: "avp-code-source", tabindex: "0", role: "region", "aria-label": t("view.panel.code.source") }, this.source);
    this.element.append(this.picker, el("div", { class: "avp-code-bar" }, this.name, this.copy), this.box);
    /** @type {string[]} */
    this.stages = []; // those with a button
    this.stage = null;
    this.step = null; // step of the chain that was followed last
    this.code = null; // of the site that the buttons were made for
    this.made = ""; // names that site
  }

  show(stage) {
    this.stage = stage;
    const entry = this.code[stage];
    this.name.textContent = entry?.name ?? "";
    this.copy.disabled = !entry;
    this.source.replaceChildren(...highlight(entry?.source ?? this.t("view.panel.code.none")));
    this.box.scrollTop = 0;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.stage === stage));
  }

  /** The stage of a step, or another name under which its code came. */
  stageOf(step) {
    return [STEPS[step], ...(ALSO[STEPS[step]] ?? [])].find((candidate) => this.stages.includes(candidate)) ?? this.stages[0];
  }

  async copySource() {
    const done = await copyText(this.code[this.stage].source, this.source);
    this.ctx.announce(this.t(done ? "view.panel.code.copied" : "view.panel.code.select"));
    this.copy.textContent = this.t(done ? "view.panel.code.copied" : "view.panel.code.copy");
    setTimeout(() => (this.copy.textContent = this.t("view.panel.code.copy")), 2000);
  }

  /** The buttons of a site's stages; those of one function share a button. */
  build(site) {
    const { header } = this.ctx.data;
    this.code = { ...(header.code ? { view: this.view() } : {}), ...codeOf(header.model, site, this.ctx.code) };
    const sources = Object.values(this.code).map(({ source }) => source);
    this.stages = Object.keys(this.code).filter((key, n) => sources.indexOf(this.code[key].source) === n);
    this.buttons = this.stages.map((key) => el("button", { type: "button", class: "av-button", "data-stage": key, on: { click: () => this.show(key) } }, this.t(`view.panel.stage.${key}`)));
    this.picker.replaceChildren(...this.buttons);
  }

  /** Return the code of what is on screen. */
  view() {
    const { state, site } = current(this.ctx);
    const { locked, query, key } = state;
    return { name: "", source: viewCode(this.ctx.data.header.code, { site: site.name, head: state.head, query, key, locked }) };
  }

  update(state, changed) {
    const { site } = current(this.ctx);
    if (this.code?.view) this.code.view = this.view();
    if (this.stage === "view" && ["head", "locked", "query", "key"].some((name) => changed.has(name))) this.show("view");
    const now = `${this.ctx.data.header.trace} ${site.name}`;
    const before = this.made;
    const fresh = before !== now;
    this.made = now;
    if (fresh) this.build(site);
    const moved = changed.has("chain") && state.chain !== null && state.chain !== this.step;
    if (!fresh && !moved) return;
    this.step = state.chain;
    const kept = before && this.stages.includes(this.stage) && !changed.has("chain"); // another head: the same stage
    this.show(kept ? this.stage : this.stageOf(state.chain ?? FIRST));
  }
}
