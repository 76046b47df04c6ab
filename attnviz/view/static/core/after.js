/** Work that may wait until a frame with something more urgent was seen. */

const ACTS = ["pointerdown", "pointermove", "click", "contextmenu", "keydown", "focusin", "beforeprint"];
const LATEST_MS = 200; // a page that nobody sees draws no frame

/**
 * Does the work after the next frame, or before anything that somebody does earlier.
 * @param {() => void} work
 * @returns {() => void}  calls it off
 */
export function afterFrame(work) {
  const waiting = new AbortController();
  const { signal } = waiting;
  const begin = () => {
    if (signal.aborted) return;
    waiting.abort();
    work();
  };
  for (const name of ACTS) window.addEventListener(name, begin, { capture: true, signal });
  requestAnimationFrame(() => setTimeout(begin));
  setTimeout(begin, LATEST_MS);
  return () => waiting.abort();
}
