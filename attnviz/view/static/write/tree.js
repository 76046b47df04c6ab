/** The tree of a beam search: a column for each step, a node for each continuation, the text that won outlined. */

import { el } from "../core/dom.js";
import { fmt, tokenElement, tokenText } from "../core/format.js";

const SPACE = "http://www.w3.org/2000/svg";
const COLUMN = 96; // px
const ROW = 26;
const NODE = 76; // px of a node's width

/** Where each beam stands, and the lines to the beams that they continue: [step, index, parent index]. */
export function branches(beams) {
  return beams.flatMap((column, step) => column.map(({ parent }, index) => ({ step, index, parent: step ? parent : null })));
}

export class Tree {
  /** @param {any} view  the view that it is part of */
  constructor(view) {
    this.view = view;
    this.element = el("section", { class: "avw-tree", hidden: true });
  }

  render() {
    const { data, t } = this.view;
    this.element.hidden = data.beams.length === 0;
    this.nodes = [];
    if (this.element.hidden) return;
    const rows = Math.max(...data.beams.map((column) => column.length));
    const size = { width: data.beams.length * COLUMN, height: rows * ROW };
    const lines = document.createElementNS(SPACE, "svg");
    lines.setAttribute("width", String(size.width));
    lines.setAttribute("height", String(size.height));
    lines.setAttribute("aria-hidden", "true");
    const field = el("div", { class: "avw-field", style: `width:${size.width}px;height:${size.height}px` }, [/** @type {any} */ (lines)]);
    for (const { step, index, parent } of branches(data.beams)) {
      const won = data.path[step] === index;
      if (parent !== null) lines.append(line(step, index, parent, won && data.path[step - 1] === parent));
      const beam = data.beams[step][index];
      const title = t(beam.ended ? "view.write.tree.ended" : "view.write.tree.node", { token: tokenText(beam.label), score: fmt(beam.score) });
      const node = el("button", {
        type: "button", class: "avw-node", title, "aria-label": title, tabindex: won ? 0 : -1, dataset: { step }, "data-won": won, "data-ended": beam.ended,
        style: `left:${step * COLUMN}px;top:${index * ROW}px;width:${NODE}px`, on: { click: () => this.view.choose(step) },
      }, [tokenElement(beam.label)]);
      this.nodes.push(node);
      field.append(node);
    }
    this.element.replaceChildren(el("h3", { text: t("view.write.tree") }), el("div", { class: "avw-scroll", tabindex: "0", role: "group", "aria-label": t("view.write.tree") }, [field]));
  }

  mark(at) {
    for (const node of this.nodes ?? []) node.toggleAttribute("data-now", node.dataset.step === String(at));
  }
}

function line(step, index, parent, won) {
  const path = document.createElementNS(SPACE, "path");
  const [from, to] = [{ x: (step - 1) * COLUMN + NODE, y: (parent + 0.5) * ROW - 1 }, { x: step * COLUMN, y: (index + 0.5) * ROW - 1 }];
  const middle = (from.x + to.x) / 2;
  path.setAttribute("d", `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`);
  if (won) path.setAttribute("class", "is-won");
  return path;
}
