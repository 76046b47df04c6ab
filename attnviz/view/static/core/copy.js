/** Copies to the clipboard. */

/** Copies a text; where the clipboard is closed (no https) it selects the node, ready for Ctrl+C, and returns false. */
export async function copyText(text, node) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (error.name !== "NotAllowedError") throw error;
    }
  }
  getSelection().selectAllChildren(node);
  return false;
}
