"""The script by which Streamlit mounts a view; all views come with one request, and the browser keeps them."""

from __future__ import annotations

from attnviz.view.modules import address

__all__ = ["loader"]

_SCRIPT = """
export default (component) => {
  let gone = false;
  let unmount = null;
  import(new URL("{address}", document.baseURI).href).then((views) => {
    if (!gone) unmount = views.{name}(component);
  });
  return () => {
    gone = true;
    unmount?.();
  };
};
"""


def loader(name: str) -> str:
    """The script for a view of that name in `attnviz.view.modules`."""
    return _SCRIPT.replace("{address}", address()).replace("{name}", name)
