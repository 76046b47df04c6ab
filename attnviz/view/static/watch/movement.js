/** How far attention has moved since training began: every layer, and the head that moved most. */

/**
 * One layer's movement, one number per snapshot, as `attnviz.finetuning.movement.moved` computes it.
 *
 *     total variation of a row = sum over keys of |weight now - weight before the first step| / 2
 *
 * @typedef {Object} Line
 * @property {string} site
 * @property {number[]} first  of the first token's row, mean of heads and sequences
 * @property {number[]} mean   of all rows
 * @property {{first: number, mean: number}[]} heads  the same of each head at the newest snapshot
 */
export class Movement {
  /** @param {any} header */
  constructor(header) {
    this.header = header;
    /** @type {("first"|"mean")[]} */
    this.measures = header.stack === "decoder" ? ["mean"] : ["first", "mean"]; // the first token of a decoder reads itself alone
    this.clear();
  }

  clear() {
    this.before = null;
    /** @type {Line[]} */
    this.lines = this.header.sites.map(({ name }) => ({ site: name, first: [], mean: [], heads: [] }));
  }

  /** @param {Uint8Array} snapshot @param {import("./timeline.js").Timeline} timeline */
  add(snapshot, timeline) {
    this.before ??= snapshot;
    for (const line of this.lines) {
      const blocks = timeline.blocks.filter(({ site }) => site === line.site);
      const found = blocks.map((block) => this.moved(snapshot, block)); // of each sequence its heads
      line.heads = found[0].map((_, head) => average(found.map((heads) => heads[head])));
      const { first, mean } = average(line.heads);
      line.first.push(first);
      line.mean.push(mean);
    }
  }

  /** @param {Uint8Array} snapshot @param {import("./timeline.js").Block} block */
  moved(snapshot, { shape: [heads, rows, cols], start }) {
    return Array.from({ length: heads }, (_, head) => {
      const changes = Array.from({ length: rows }, (__, row) => {
        const begin = start + (head * rows + row) * cols;
        let change = 0;
        for (let at = begin; at < begin + cols; at += 1) change += Math.abs(snapshot[at] - this.before[at]);
        return change / (2 * 255);
      });
      return { first: changes[0], mean: changes.reduce((a, b) => a + b, 0) / rows };
    });
  }

  /** The head that has moved most by the newest snapshot: {site, head, by}. */
  leader() {
    const [measure] = this.measures;
    const heads = this.lines.flatMap(({ site, heads: found }) => found.map((each, head) => ({ site, head, by: each[measure] })));
    return heads.reduce((most, one) => (one.by > most.by ? one : most));
  }
}

const average = (parts) => ({
  first: parts.reduce((sum, { first }) => sum + first, 0) / parts.length,
  mean: parts.reduce((sum, { mean }) => sum + mean, 0) / parts.length,
});
