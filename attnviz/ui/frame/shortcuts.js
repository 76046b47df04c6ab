/** A switch for the shortcuts of one letter, Streamlit's own among them; the browser remembers it. */
const KEPT = "attnviz.shortcuts";
const FIELDS = "input, textarea, select, [contenteditable]";

/** What the browser keeps; null where it keeps nothing for a page inside of another one. */
function kept() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

let isOn = kept()?.getItem(KEPT) !== "off";

/** Hears keys before everybody else does. */
function hear(event) {
  const isLetter = /^[a-z]$/i.test(event.key) && !(event.ctrlKey || event.metaKey || event.altKey);
  if (isLetter && !isOn && !event.composedPath()[0].matches?.(FIELDS)) event.stopImmediatePropagation();
}
window.addEventListener("keydown", hear, { capture: true });

export default ({ data, parentElement }) => {
  const label = parentElement.querySelector("label") ?? parentElement.appendChild(document.createElement("label"));
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: isOn });
  box.onchange = () => {
    isOn = box.checked;
    kept()?.setItem(KEPT, isOn ? "on" : "off");
  };
  label.replaceChildren(box, data.label);
};
