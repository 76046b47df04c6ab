/** The trace's numbers in the browser: unpacking, holding within a bound, fetching what is missing. */

const MAGIC = "AVZ1";
const ALIGN = 8;
const BUDGET_BYTES = 256 * 2 ** 20;
const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/** Stages of one head, in the order of the chain; `x` and `x_kv` belong to the site. */
export const STAGES = ["q", "k", "v", "scores", "masked", "weights", "context"];

const OF_SITE = new Set(["x", "x_kv"]);

/** Whether a stage is shared by the heads of its site: its input. */
export const isOfSite = (stage) => OF_SITE.has(stage);

const pathOf = (site, head, stage) => (isOfSite(stage) ? `${site.name}/${stage}` : `${site.name}/${head}/${stage}`);

/** A failed fetch. `gone`: the server no longer holds this trace. */
export class LoadError extends Error {
  constructor(message, gone = false) {
    super(message);
    this.name = "LoadError";
    this.gone = gone;
  }
}

/**
 * Reads one payload: "AVZ1", uint32 length, JSON header, padding to 8, data section.
 * @param {Uint8Array} bytes
 * @returns {{header: any, arrays: Map<string, Numbers>}}
 */
export function unpack(bytes) {
  // typed arrays need aligned memory
  const source = bytes.byteOffset % ALIGN === 0 ? bytes : bytes.slice();
  const magic = String.fromCharCode(...source.subarray(0, 4));
  if (magic !== MAGIC) throw new LoadError(`expected a payload that starts with ${MAGIC}, got ${JSON.stringify(magic)}`);
  const length = new DataView(source.buffer, source.byteOffset, source.byteLength).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(source.subarray(8, 8 + length)));
  const start = source.byteOffset + Math.ceil((8 + length) / ALIGN) * ALIGN;
  const arrays = new Map();
  for (const [path, { dtype, shape, offset }] of Object.entries(header.arrays ?? {})) {
    const size = shape.reduce((product, n) => product * n, 1);
    arrays.set(path, { data: new TYPES[dtype](source.buffer, start + offset, size), shape });
  }
  return { header, arrays };
}

/**
 * Source of further numbers of a trace. A page that was saved whole brings its own (`export/embedded.js`).
 *
 * @typedef {Object} Source
 * @property {(rest: string) => string} [url]  the address of anything else
 * @property {(site: any, heads: number[], stages: string[], isAhead: boolean) => Promise<Map<string, Numbers>>} bundle
 *     arrays by path: those asked for, as far as there are any, and perhaps more; `isAhead`: nobody waits for them yet
 * @property {(rest: string) => Promise<{json: () => Promise<any>}>} fetch  anything else, such as "proof"
 * @property {(site: any, head: number, stage: string) => boolean} lacks  these numbers will never come
 * @property {Source|null} [beside]  of a second trace, where it is not the server
 *
 * @typedef {Object} Numbers
 * @property {Float32Array|Int32Array|Uint8Array} data
 * @property {number[]} shape
 * @property {{levels: number, decimals: number}} [rounding]  multiples of 1 / levels, off by half of it at most
 *
 * @typedef {Object} Matrix
 * @property {Float32Array} data
 * @property {number} rows
 * @property {number} cols
 * @property {{levels: number, decimals: number}} [rounding]  as above
 * @property {boolean} [shares]  numbers are shares of 1
 */

/** The server, by HTTP. @implements {Source} */
export class ServerSource {
  beside = null; // a second trace has an address of its own

  /** @param {string} address  of the trace, relative to the page */
  constructor(address) {
    this.address = address;
  }

  url(rest) {
    return new URL(`${this.address}/${rest}`, document.baseURI).href;
  }

  /** @throws {LoadError} */
  async fetch(rest) {
    let response;
    try {
      response = await fetch(this.url(rest));
    } catch (error) {
      throw new LoadError(String(error));
    }
    if (!response.ok) throw new LoadError(`${response.status} ${rest}`, response.status === 404);
    return response;
  }

  async bundle(site, heads, stages, isAhead) {
    const query = new URLSearchParams({ site: site.name, heads: heads.join(","), stages: stages.join(",") });
    if (isAhead) query.set("ahead", "1");
    const response = await this.fetch(`bundle?${query}`);
    return unpack(new Uint8Array(await response.arrayBuffer())).arrays;
  }

  lacks() {
    return false;
  }
}

export class TraceData {
  /**
   * @param {Uint8Array} bytes  the overview payload
   * @param {(paths: string[]) => void} onArrival  called when further arrays arrived
   * @param {Source|null} source  of further numbers; by default the server that the payload names, if it names one
   */
  constructor(bytes, onArrival = () => {}, source = null) {
    const { header, arrays } = unpack(bytes);
    this.header = header;
    this.onArrival = onArrival;
    this.source = source ?? (header.data_url ? new ServerSource(header.data_url) : null);
    this.overview = arrays; // never dropped
    this.held = new Map(); // path -> array; least recently used first
    this.heldBytes = 0;
    this.pending = new Map(); // path -> {request, isAhead}: the promise of the request that brings it
  }

  get sites() {
    return this.header.sites;
  }

  site(index) {
    return this.header.sites[index];
  }

  tokens(stack) {
    return this.header.tokens[stack];
  }

  /** @returns {Matrix|undefined} */
  get(site, head, stage) {
    return asMatrix(this.array(pathOf(this.site(site), head, stage)), stage);
  }

  /** The input of the queries, (Tq, d_model). */
  x(site) {
    return this.get(site, 0, "x");
  }

  array(path) {
    const fixed = this.overview.get(path);
    if (fixed) return fixed;
    const found = this.held.get(path);
    if (found) {
      this.held.delete(path);
      this.held.set(path, found);
    }
    return found;
  }

  /** Thumbnails of a site as they are sent: {data: Uint8Array, shape: [H + 1, Sq, Sk]}, the last one the average. */
  thumbs(site) {
    return this.overview.get(`thumbs/${this.site(site).name}`);
  }

  /** One thumbnail: levels are the fourth root of a weight by the largest of its head. */
  thumb(site, head) {
    const { data, shape: [, rows, cols] } = this.thumbs(site);
    const peak = this.overview.get(`peaks/${this.site(site).name}`).data[head];
    const levels = data.subarray(head * rows * cols, (head + 1) * rows * cols);
    return { rows, cols, weights: Float32Array.from(levels, (level) => peak * (level / 255) ** 4) };
  }

  has(siteIndex, head, stages) {
    return stages.every((stage) => this.get(siteIndex, head, stage) !== undefined);
  }

  /** Whether these numbers are not here and will never come. */
  lacks(siteIndex, head, stage) {
    const site = this.site(siteIndex);
    return this.get(siteIndex, head, stage) === undefined && (this.source?.lacks(site, head, stage) ?? false);
  }

  /**
   * Makes sure these are held, but for what will never come; asks only for what is neither held nor under way.
   * What somebody waits for is asked for again where it is under way as one of those that the server leaves for later.
   * @param {number} siteIndex
   * @param {number[]} heads
   * @param {string[]} stages
   * @param {boolean} [isAhead]  nobody waits for them yet
   * @returns {Promise<void>}
   */
  async load(siteIndex, heads, stages, isAhead = false) {
    const site = this.site(siteIndex);
    if (!this.source) throw new LoadError("this page holds no further data");
    const missing = (head, stage) => this.get(siteIndex, head, stage) === undefined && !this.source.lacks(site, head, stage);
    const waits = new Set();
    const askHeads = new Set();
    const askStages = new Set();
    const paths = [];
    for (const head of heads) {
      for (const stage of stages) {
        if (!missing(head, stage)) continue;
        const path = pathOf(site, head, stage);
        const underWay = this.pending.get(path);
        if (underWay && (isAhead || !underWay.isAhead)) waits.add(underWay.request);
        else {
          askHeads.add(head);
          askStages.add(stage === "x_kv" ? "x" : stage); // the two come together
          paths.push(path);
        }
      }
    }
    if (paths.length) {
      const asked = { request: this.request(site, [...askHeads], [...askStages], isAhead), isAhead };
      paths.forEach((path) => this.pending.set(path, asked));
      const forget = () => paths.forEach((path) => this.pending.get(path) === asked && this.pending.delete(path));
      waits.add(asked.request.finally(forget));
    }
    await Promise.all(waits);
  }

  async request(site, heads, stages, isAhead) {
    const arrays = await this.source.bundle(site, heads, stages, isAhead);
    for (const [path, array] of arrays) this.hold(path, array);
    this.onArrival([...arrays.keys()]);
  }

  /** An address below the trace's own on the server. */
  url(rest) {
    return this.source.url(rest);
  }

  /** @throws {LoadError} */
  async fetch(rest) {
    if (!this.source) throw new LoadError("this page holds no further data");
    return this.source.fetch(rest);
  }

  /** Takes over what another payload of the same trace had loaded. */
  adopt(other) {
    this.held = other.held;
    this.heldBytes = other.heldBytes;
    for (const [path, array] of other.overview) if (!this.overview.has(path)) this.hold(path, array);
  }

  /**
   * @param {string} path
   * @param {Numbers} numbers
   */
  hold(path, { data, shape, rounding }) {
    if (this.held.has(path)) return;
    // an own copy: a view would keep the whole response alive after its neighbours are dropped
    this.held.set(path, { data: data.slice(), shape, rounding });
    this.heldBytes += data.byteLength;
    for (const [oldest, array] of this.held) {
      if (this.heldBytes <= BUDGET_BYTES || oldest === path) break;
      this.held.delete(oldest);
      this.heldBytes -= array.data.byteLength;
    }
  }
}

function asMatrix(array, stage) {
  if (!array) return undefined;
  array.matrix ??= { data: array.data, rows: array.shape[0], cols: array.shape[1], rounding: array.rounding, shares: stage === "weights" };
  return array.matrix;
}
