/** Mounts a view; views that are often seen come with one request, and the browser keeps them. Python fills in both names. */
const ADDRESS = "attnviz/view/modules.js";
const VIEW = "explorer";

export default (component) => {
  let gone = false;
  let unmount = null;
  import(new URL(ADDRESS, document.baseURI).href).then((views) => {
    if (!gone) unmount = views[VIEW](component);
  });
  return () => {
    gone = true;
    unmount?.();
  };
};
