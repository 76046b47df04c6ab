/** Starts a page that was saved whole, whose modules stand in it as text. Runs as a plain script, at the end of the page. */
(() => {
  const text = document.getElementById("attnviz-modules").textContent;
  import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })))
    .then(({ open }) => open(document))
    .catch((error) => {
      document.getElementById("attnviz-failed").hidden = false;
      console.error(error);
    });
})();
