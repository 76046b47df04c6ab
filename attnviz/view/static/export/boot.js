/**
 * Starts a page that was saved whole. Its modules are in it as text; each gets an address of its own, and a map tells
 * which name stands for which address. Runs as a plain script, at the end of the page.
 */
(() => {
  const imports = {};
  for (const script of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("script[data-module]"))) {
    const blob = new Blob([script.textContent], { type: "text/javascript" });
    imports[`attnviz/${script.dataset.module}`] = URL.createObjectURL(blob);
  }
  const map = document.createElement("script");
  map.type = "importmap";
  map.nonce = document.currentScript.nonce;
  map.textContent = JSON.stringify({ imports });
  document.head.append(map);
  // @ts-expect-error the map above knows the name
  import("attnviz/export/standalone.js")
    .then(({ open }) => open(document))
    .catch((error) => {
      document.getElementById("attnviz-failed").hidden = false;
      console.error(error);
    });
})();
