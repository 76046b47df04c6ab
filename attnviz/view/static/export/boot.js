/** Starts a page that was saved whole, whose modules stand in it deflated. Runs as a plain script, at the end of the page. */
(() => {
  const text = document.getElementById("attnviz-modules").textContent;
  const inflate = async () => {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  };
  inflate()
    .then((source) => import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))))
    .then(({ open }) => open(document))
    .catch((error) => {
      document.getElementById("attnviz-failed").hidden = false;
      console.error(error);
    });
})();
