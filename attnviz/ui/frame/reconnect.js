/**
 * Asks for a run of the whole page when the line to the server is there again. Behind it may be another server, which
 * knows nothing yet and reads the address: `address.js`, which would report it, hears of that first.
 */
let ask = (_name, _value) => {};
const isUp = (app) => app.dataset.testConnectionState === "CONNECTED";

/** Calls back when the line to the server is there again. */
function onReconnect(app, callback) {
  let wasUp = isUp(app);
  const observer = new MutationObserver(() => {
    if (isUp(app) && !wasUp) callback();
    wasUp = isUp(app);
  });
  observer.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  return () => observer.disconnect();
}

const listening = new WeakMap(); // parentElement -> what ends it

export default ({ parentElement, setTriggerValue }) => {
  ask = setTriggerValue;
  const app = /** @type {HTMLElement|null} */ (document.querySelector("[data-test-connection-state]"));
  if (app && !listening.has(parentElement)) {
    const end = onReconnect(app, () => {
      window.dispatchEvent(new CustomEvent("attnviz:reconnected"));
      ask("reconnected", true);
    });
    listening.set(parentElement, end);
  }
  return () => {
    listening.get(parentElement)?.();
    listening.delete(parentElement);
  };
};
