/** Names what Streamlit leaves unnamed, or names in English only; on paper, names the page's address. */
const NAMES = {}; // language -> element -> name; Python fills it in

function mend() {
  const names = NAMES[document.documentElement.lang];
  for (const zone of document.querySelectorAll('[data-testid="stFileUploaderDropzone"]')) {
    zone.role = "group"; // it has a label, which "presentation" would hide
    zone.querySelector("button").ariaLabel = names.choose_file;
  }
  for (const head of document.querySelectorAll(".stDataFrame canvas th:empty")) head.textContent = names.choose_row;
}
new MutationObserver(mend).observe(document, { childList: true, subtree: true, attributeFilter: ["lang"] });

addEventListener("beforeprint", () => {
  /** @type {HTMLElement} */ (document.querySelector(".stMain")).dataset.address = location.href;
});
