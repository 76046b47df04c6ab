/** Answers of the model to a few held-out sequences at the current step, right and wrong. */

import { el } from "../core/dom.js";
import { fmt, tokenElement } from "../core/format.js";
import { metricName, metricText, signed } from "./measures.js";

const MOST = 48; // symbols of an answer that are shown
const MOST_VALUES = 10;

export class Samples {
  constructor(ctx) {
    this.ctx = ctx;
    const { t } = ctx;
    this.heading = el("h2", { text: t("watch.samples") });
    this.share = el("span", { class: "aw-share" });
    const { predicts, metric, spaced, stack } = ctx.header;
    this.list = el("ol", { class: `aw-samples ${predicts === "values" ? "aw-numbers" : ""} ${spaced.prompt ? "aw-spaced-prompt" : ""} ${spaced.answer ? "aw-spaced-answer" : ""}` });
    const answers = t(stack === "encoder" ? "watch.samples.note.encoder" : "watch.samples.note");
    const notes = [predicts === "values" ? t("watch.samples.note.values") : answers, ...(metric === "hit rate" ? [t("watch.samples.note.hits")] : [])];
    this.note = el("p", { class: "aw-note", text: notes.join(" ") });
    this.element = el("section", { class: "aw-card aw-samples-card" }, [el("header", {}, [this.heading, this.share]), this.list, this.note]);
  }
  update(changed) {
    if (!["at", "snapshot", "metrics"].some((key) => changed.has(key))) return;
    const { t, metrics, header, number } = this.ctx;
    const look = metrics.lookAt(this.ctx.position());
    if (look === this.shown && this.list.firstChild) return;
    this.shown = look;
    this.heading.textContent = look ? t("watch.samples_at", { step: number(look.step) }) : t("watch.samples");
    this.share.textContent = look && Number.isFinite(look.accuracy) ? t("watch.samples.whole", { metric: metricName(t, header), value: metricText(header, look.accuracy, this.ctx.percent) }) : "";
    const row = header.predicts === "values" ? this.forecast : this.row;
    this.list.replaceChildren(...header.samples.map((sample, n) => row.call(this, sample, look?.outputs[n])));
  }

  /** Right values, forecasts, and how far these are off. */
  forecast({ prompt, answer }, output) {
    const { t } = this.ctx;
    const wait = [el("span", { class: "aw-wait", text: "…" })];
    const numbers = (values, asText = fmt) => values.slice(0, MOST_VALUES).map((value) => el("span", { class: "av-token", text: asText(value) }));
    const errors = output ? answer.map((value, i) => output[i] - value) : [];
    const size = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    const line = (name, content) => lineOf(t(name), el("span", { class: "aw-answer" }, content));
    const facts = [
      ...(answer.length > MOST_VALUES ? [t("watch.samples.first", { shown: MOST_VALUES, n: answer.length })] : []),
      ...(output && answer.length > 1 ? [t("watch.samples.off", { value: fmt(size) })] : []),
    ];
    return el("li", {}, [el("div", { class: "aw-lines" }, [
      lineOf(t("watch.samples.prompt"), el("span", { class: "aw-prompt" }, tokens(prompt))),
      line("watch.samples.answer", numbers(answer)),
      line("watch.samples.forecast", output ? numbers(output) : wait),
      line("watch.samples.error", numbers(errors, signed)),
      ...(facts.length ? [el("span", { class: "aw-count", text: facts.join(" · ") })] : []),
    ])]);
  }

  row({ prompt, image, answer }, output) {
    const { t, header } = this.ctx;
    const label = (id) => header.vocab[id] ?? "?";
    const isCut = answer.length > MOST;
    const cut = () => (isCut ? [el("span", { class: "aw-wait", text: "…" })] : []);
    const shown = answer.slice(0, MOST);
    const right = output ? answer.filter((id, i) => id === output[i]).length : 0;
    const all = right === answer.length;
    const asked = image ? picture(image, t("watch.samples.prompt")) : el("span", { class: "aw-prompt" }, tokens(prompt));
    const wanted = el("span", { class: "aw-answer" }, [...tokens(shown.map(label)), ...cut()]);
    const verdict = el("span", { class: `aw-verdict ${output ? (all ? "is-right" : "is-wrong") : ""}`, text: output ? (all ? "✓" : "✗") : "", role: "img", "aria-label": output ? t("watch.samples.right", { right, n: answer.length }) : t("watch.samples.waiting") });
    const given = el("span", { class: "aw-answer" }, output ? [...shown.map((id, i) => this.symbol(label(output[i]), label(id), output[i] === id)), ...cut()] : [el("span", { class: "aw-wait", text: "…" })]);
    const count = isCut && output ? [el("span", { class: "aw-count", text: t("watch.samples.right", { right, n: answer.length }) })] : [];
    const line = (name, content) => lineOf(t(name), content);
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

/** A picture in grey, a number a pixel. */
function picture({ rows, cols, levels }, name) {
  const canvas = el("canvas", { class: "aw-picture", role: "img", "aria-label": name });
  Object.assign(canvas, { width: cols, height: rows });
  canvas.style.aspectRatio = `${cols} / ${rows}`;
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(cols, rows);
  levels.forEach((level, i) => pixels.data.set([level, level, level, 255], 4 * i));
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

const lineOf = (name, content) => el("div", { class: "aw-line" }, [el("span", { class: "aw-line-name", text: name }), content]);

const tokens = (labels) => labels.map(token);
