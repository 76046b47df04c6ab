/** The numbers of a page that was saved whole. `attnviz/view/parts.py` says how they are written. */

import { LoadError, isOfSite, unpack } from "../core/data.js";

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** First bytes of every number, second bytes ... -> numbers. */
function join(apart, planes) {
  if (planes === 1) return apart;
  const count = apart.length / planes;
  const bytes = new Uint8Array(apart.length);
  for (let plane = 0; plane < planes; plane += 1) {
    for (let n = 0, from = plane * count; n < count; n += 1) bytes[n * planes + plane] = apart[from + n];
  }
  return bytes;
}

/** Answers for the server in a page that has none; see `ServerSource`. Parts are inflated when they are asked for. */
export class EmbeddedSource {
  /**
   * @param {Document} page
   * @param {any} index  what the page knows of the numbers
   * @param {string} below  names of parts begin with it
   */
  constructor(page, index = JSON.parse(page.getElementById("attnviz-file").textContent), below = "") {
    this.index = index;
    this.below = below;
    /** @type {EmbeddedSource|null} the numbers of a second trace */
    this.beside = index.beside ? new EmbeddedSource(page, index.beside, "beside/") : null;
    this.parts = new Map([.../** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("script[data-part]"))].map((script) => [script.dataset.part, script]));
    /** @type {import("../core/texts.js").Texts} */
    this.texts = this.index.texts;
    this.opened = null; // the rounded site that was opened last: {name, steps: Promise<Uint16Array>}
  }

  /** @returns {Promise<Uint8Array>} the payload of the first picture */
  overview() {
    return this.read("overview");
  }

  async read(name) {
    const { textContent, dataset } = this.parts.get(this.below + name);
    const packed = Uint8Array.from(atob(textContent), (letter) => letter.charCodeAt(0));
    return join(await inflate(packed), Number(dataset.planes));
  }

  /** As much of an answer as is read. JSON has no word for what is not a number. */
  async fetch(rest) {
    const { proof } = this.index;
    if (rest !== "proof" || !proof) throw new LoadError(`the page holds no ${rest}`);
    return { json: async () => ({ ...proof, max_abs_error: proof.max_abs_error ?? NaN }) };
  }

  /** Numbers that will never come; of a head that is not whole there are only its weights. */
  lacks(site, head, stage) {
    const whole = this.index.whole[site.name] ?? {};
    if (isOfSite(stage)) return !Object.values(whole).some((stages) => stages.includes(stage));
    return stage !== "weights" && !whole[head]?.includes(stage);
  }

  /**
   * All that the page has of some heads, and the input of their site; `stages` is what is needed at least.
   * @returns {Promise<Map<string, import("../core/data.js").Numbers>>}
   */
  async bundle(site, heads, stages) {
    const whole = this.index.whole[site.name] ?? {};
    const asked = new Set(heads.filter((head) => head in whole));
    if (stages.some((stage) => isOfSite(stage))) asked.add(Number(Object.keys(whole)[0]));
    const bundles = await Promise.all([...asked].map((head) => this.read(`${site.name}/${head}`)));
    const found = new Map(bundles.flatMap((bytes) => [...unpack(bytes).arrays]));
    for (const head of heads) if (!(head in whole)) found.set(`${site.name}/${head}/weights`, await this.weights(site, head));
    return found;
  }

  /** The rounded weights of a head: step / levels. */
  async weights(site, head) {
    const { levels, decimals, rounded } = this.index;
    if (this.opened?.name !== site.name) {
      this.opened = { name: site.name, steps: this.read(site.name).then(({ buffer }) => new Uint16Array(buffer)) };
    }
    const steps = await this.opened.steps;
    const { heads, shape: [rows, cols] } = rounded[site.name];
    const data = new Float32Array(rows * cols);
    for (let row = 0, at = rows; row < rows; row += 1) {
      const length = steps[row];
      const from = at + heads.indexOf(head) * length;
      for (let col = 0; col < length; col += 1) data[row * cols + col] = steps[from + col] / levels;
      at += heads.length * length;
    }
    return { data, shape: [rows, cols], rounding: { levels, decimals } };
  }
}
