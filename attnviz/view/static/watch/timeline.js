/** Every head's weights at every recorded step: attention.bin, whose format `attnviz/training/run/timeline.py` describes. */

const KEPT_BYTES = 64 * 2 ** 20; // of unpacked snapshots; older ones are unpacked again when they are looked at
const FRAME_HEAD = 17; // "SNAP", kind, step, length, CRC-32
const KEY = 1;

/** The file is not what a run writes. */
export class Damaged extends Error {}

/**
 * @typedef {Object} Block  where the weights of a site on a sequence lie in a snapshot
 * @property {number} sequence
 * @property {string} site
 * @property {number[]} shape  [H, Tq, Tk]
 * @property {number} start
 */
export class Timeline {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {Block[]} */
    this.blocks = [];
    this.size = 0;
    /** @type {number[]} */
    this.steps = [];
    this.frames = []; // {kind, payload}
    this.kept = new Map(); // index -> Uint8Array, the longest untouched first
    this.newest = undefined;
  }

  get length() {
    return this.steps.length;
  }

  /**
   * Takes whole frames, with the line before them when they are the first.
   * @param {Uint8Array} bytes
   * @param {(snapshot: Uint8Array, index: number) => void} seen  called for every snapshot, in order
   */
  async add(bytes, seen) {
    let at = this.blocks.length ? 0 : this.describe(bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = [];
    while (at + FRAME_HEAD <= bytes.length) {
      const [kind, step, length] = [view.getUint8(at + 4), view.getUint32(at + 5, true), view.getUint32(at + 9, true)];
      found.push({ kind, step, payload: bytes.slice(at + FRAME_HEAD, at + FRAME_HEAD + length) });
      at += FRAME_HEAD + length;
    }
    const changes = await Promise.all(found.map(({ payload }) => inflate(payload, this.size)));
    if (!this.length && found.length && found[0].kind !== KEY) throw new Damaged("the first snapshot is a difference");
    found.forEach(({ kind, step, payload }, n) => {
      this.newest = kind === KEY ? changes[n] : sum(this.newest, changes[n]);
      this.frames.push({ kind, payload });
      this.steps.push(step);
      this.keep(this.length - 1, this.newest);
      seen(this.newest, this.length - 1);
    });
  }

  /** Reads the first line; returns where it ends. */
  describe(bytes) {
    const end = bytes.indexOf(10);
    if (end < 0) return 0;
    for (const { sequence, site, shape } of JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))).sites) {
      this.blocks.push({ sequence, site, shape, start: this.size });
      this.size += shape.reduce((product, side) => product * side, 1);
    }
    return end + 1;
  }

  keep(index, snapshot) {
    this.kept.delete(index);
    this.kept.set(index, snapshot);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size * this.size <= KEPT_BYTES || oldest === index) break;
      this.kept.delete(oldest);
    }
  }

  ready(index) {
    const snapshot = this.kept.get(index);
    if (snapshot) this.keep(index, snapshot);
    return snapshot;
  }

  /** Any snapshot, unpacked from the key frame before it where need be. */
  async snapshot(index) {
    const { frames } = this;
    let from = index;
    while (!this.kept.has(from) && frames[from].kind !== KEY) from -= 1;
    let snapshot = this.ready(from) ?? (await inflate(frames[from].payload, this.size));
    for (let n = from + 1; n <= index; n += 1) snapshot = sum(snapshot, await inflate(frames[n].payload, this.size));
    if (frames === this.frames) this.keep(index, snapshot);
    return snapshot;
  }

  block(sequence, site) {
    return this.blocks.find((block) => block.sequence === sequence && block.site === site);
  }
}

/** The weights of one head in a snapshot: bytes (Tq * Tk), 255 for a weight of 1; not a copy. */
export function headOf(snapshot, { shape: [, rows, cols], start }, head) {
  return snapshot.subarray(start + head * rows * cols, start + (head + 1) * rows * cols);
}

function sum(before, change) {
  const values = new Uint8Array(change.length);
  for (let i = 0; i < values.length; i += 1) values[i] = before[i] + change[i]; // modulo 256
  return values;
}

/** Unpacks exactly so many bytes: what would become more is stopped before it is. */
async function inflate(payload, size) {
  const reader = new Blob([payload]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const values = new Uint8Array(size);
  let filled = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      values.set(part.value, filled); // a RangeError where it does not fit
      filled += part.value.length;
    }
  } catch (error) {
    throw new Damaged("a snapshot cannot be unpacked", { cause: error });
  }
  if (filled !== size) throw new Damaged(`a snapshot has ${filled} weights, not ${size}`);
  return values;
}
