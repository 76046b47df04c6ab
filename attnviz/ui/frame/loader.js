/** Mounts the view from its own modules, which the browser keeps and asks for again only when they changed. */
export default (component) => {
  let gone = false;
  let unmount = null;
  import(new URL("attnviz/view/static/main.js", document.baseURI).href).then((view) => {
    if (!gone) unmount = view.mount(component);
  });
  return () => {
    gone = true;
    unmount?.();
  };
};
