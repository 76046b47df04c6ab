/** The widget of a notebook: the page of the view in a frame, which is handed the model that Python and the browser share. */

function render({ model, el }) {
  const frame = Object.assign(document.createElement("iframe"), { title: model.get("_title"), srcdoc: model.get("_page"), allow: "clipboard-write", attnvizModel: model });
  frame.style.cssText = `display: block; width: 100%; height: ${Number(model.get("_height"))}px; border: 0`;
  el.append(frame);
}

export default { render };
