/**
 * One small observable state. Everything on screen is a function of it and of the trace's data.
 *
 * @typedef {Object} State
 * @property {number} site   index into header.sites
 * @property {number} head   head of that site
 * @property {boolean} [own]  somebody chose the head
 * @property {number|null} query  hovered or locked query
 * @property {number|null} key    hovered or locked key
 * @property {number|null} dim    hovered or locked dimension of the head
 * @property {number|null} wide   hovered or locked dimension of the model
 * @property {boolean} locked
 * @property {number|null} chain  last opened stage of the chain, 0..6; null: every stage is open
 * @property {""|"other"|"difference"} side  of two traces in one view
 * @property {string} pin  site and head of the other trace that stay, such as "1.3"; "": those of the chosen head
 * @property {number[]} [mine]  site and head of the own trace while the other one is shown
 * @property {string} tab  "": the first one that the chosen head has
 * @property {string} walk  cells that were asked about one after the other, see `panels/why.js`
 * @property {"none"|"first"|"specials"} hide
 * @property {string} heads  heads whose lines are drawn together, such as "0,3"; "": the chosen one alone
 * @property {""|"one"|"contrast"} scale  how dark weights are drawn; "": by the number of keys
 * @property {boolean} words  sub-words are merged to words
 * @property {""|"aa"|"ab"|"ba"|"bb"} pair  sentence of the queries and sentence of the keys; "": all
 * @property {number} keep   percent of each row's mass that the lines keep
 * @property {boolean} present  on a wall: the answer, one picture, one sentence
 * @property {string} show  the parts that are shown, such as "answer,weights"; "": all of them
 * @property {number} tour  stop of the tour, from 1 on; 0: none
 * @property {""|"lens"|"parts"} outputs  what is told beside the model's candidates
 * @property {""|"plane"} product  what is told of queries and keys beside one pair
 * @property {number|null} row  chosen output where it is no query; null: none
 * @property {number|null} token  id of the output whose logit is split; null: the most probable one
 * @property {number|null} against  id of the output whose logit is subtracted; null: none
 * @property {number|null} zoom  pixels per cell of the chain, null: chosen to fit
 *
 * @typedef {ReturnType<typeof createStore<State>>} Store
 */

/**
 * @template {object} [Fields=State]
 * @param {Fields} initial
 * @param {(callback: () => void) => void} schedule  how a notification is put off; a frame by default
 */
export function createStore(initial, schedule = (callback) => void requestAnimationFrame(callback)) {
  let state = Object.freeze({ ...initial });
  const listeners = new Set();
  let changed = new Set();
  let pending = false;

  function flush() {
    pending = false;
    if (changed.size === 0) return;
    const now = changed;
    changed = new Set();
    for (const listener of [...listeners]) listener(state, now);
  }

  function put(key) {
    changed.add(key);
    if (!pending) {
      pending = true;
      schedule(flush);
    }
  }

  return {
    /** @returns {Fields} */
    get state() {
      return state;
    },
    /** Changes fields; listeners hear of the fields that really changed, once a frame. */
    set(patch) {
      const keys = Object.keys(patch).filter((key) => !Object.is(state[key], patch[key]));
      if (keys.length === 0) return;
      state = Object.freeze({ ...state, ...patch });
      keys.forEach(put);
    },
    /** Tells listeners of something outside the state: "data", "trace", with it "numbers" where its places are as before, or "theme". */
    touch: put,
    /** Notifies at once, without waiting for the frame. */
    flush,
    /** @param {(state: Fields, changed: Set<string>) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Fields of a place where nothing is pointed at. */
export const NOWHERE = Object.freeze({ query: null, key: null, dim: null, wide: null });

/** Hover previews, and only while nothing is locked. */
export function hover(store, patch) {
  if (!store.state.locked) store.set(patch);
}

/** A click locks what it points at; a second click on the same unlocks. */
export function toggleLock(store, patch) {
  const { state } = store;
  const same = state.locked && Object.keys(patch).every((key) => state[key] === patch[key]);
  if (same) unlock(store);
  else store.set({ ...NOWHERE, ...patch, locked: true });
}

export function unlock(store) {
  store.set({ locked: false, ...NOWHERE });
}
