/** What the model answers to a few held-out sequences at the step that is looked at: right and wrong. */

import { el } from "./dom.js";
import { tokenElement } from "./format.js";

const MOST = 48; // symbols of an answer that are shown

export class Samples {
  constructor(ctx) {
    this.ctx = ctx;
    const { t } = ctx;
    this.heading = el("h3", { text: t("watch.samples") });
    this.share = el("span", { class: "aw-share" });
    this.list = el("ol", { class: `aw-samples ${ctx.header.spaced ? "aw-spaced" : ""}` });
    this.note = el("p", { class: "aw-note", text: t("watch.samples.note") });
    this.element = el("section", { class: "aw-card aw-samples-card" }, [el("header", {}, [this.heading, this.share]), this.list, this.note]);
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (!["at", "snapshot", "metrics"].some((key) => changed.has(key))) return;
    const { t, metrics, header, number } = this.ctx;
    const look = metrics.lookAt(this.ctx.position());
    if (look === this.shown && this.list.firstChild) return;
    this.shown = look;
    this.heading.textContent = look ? t("watch.samples_at", { step: number(look.step) }) : t("watch.samples");
    this.share.textContent = look && Number.isFinite(look.accuracy) ? t("watch.samples.share", { share: this.ctx.percent(look.accuracy) }) : "";
    this.list.replaceChildren(...header.samples.map((sample, n) => this.row(sample, look?.outputs[n])));
  }

  row({ prompt, source, answer }, output) {
    const { t, header } = this.ctx;
    const label = (id) => header.vocab[id] ?? "?";
    const isCut = answer.length > MOST;
    const cut = () => (isCut ? [el("span", { class: "aw-wait", text: "…" })] : []);
    const shown = answer.slice(0, MOST);
    const right = output ? answer.filter((id, i) => id === output[i]).length : 0;
    const all = right === answer.length;
    const asked = el("span", { class: "aw-prompt" }, tokens(source ?? prompt));
    const wanted = el("span", { class: "aw-answer" }, [...tokens(shown.map(label)), ...cut()]);
    const verdict = el("span", { class: `aw-verdict ${output ? (all ? "is-right" : "is-wrong") : ""}`, text: output ? (all ? "✓" : "✗") : "", role: "img", "aria-label": output ? t("watch.samples.right", { right, n: answer.length }) : t("watch.samples.waiting") });
    const given = el("span", { class: "aw-answer" }, output ? [...shown.map((id, i) => this.symbol(label(output[i]), label(id), output[i] === id)), ...cut()] : [el("span", { class: "aw-wait", text: "…" })]);
    const count = isCut && output ? [el("span", { class: "aw-count", text: t("watch.samples.right", { right, n: answer.length }) })] : [];
    const line = (name, content) => el("div", { class: "aw-line" }, [el("span", { class: "aw-line-name", text: t(name) }), content]);
    return el("li", {}, [verdict, el("div", { class: "aw-lines" }, [line("watch.samples.prompt", asked), line("watch.samples.answer", wanted), line("watch.samples.output", given), ...count])]);
  }

  /** A wrong symbol is struck out and says what would have been right. */
  symbol(given, wanted, right) {
    if (right) return token(given);
    const wrong = el("s", { class: "aw-wrong", title: this.ctx.t("watch.samples.instead", { wanted }) });
    wrong.append(token(given));
    return wrong;
  }
}

function token(label) {
  const element = tokenElement(label);
  element.classList.toggle("aw-special", label.length > 1 && label.startsWith("<"));
  return element;
}

const tokens = (labels) => labels.map(token);
