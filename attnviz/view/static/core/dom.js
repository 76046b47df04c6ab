/** Makes elements, for every part. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} properties  class, text, dataset, on: {event: handler}; the rest are attributes
 * @param {...(Node|string|number|null|undefined|(Node|string)[])} children  null and undefined are left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(.../** @type {Node[]} */ (children.flat()).filter((child) => child !== null && child !== undefined));
  return element;
}

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The rows and columns that an arrow key moves by; undefined for other keys, and for arrows that the browser uses. */
export const arrowOf = (event) => (event.altKey || event.ctrlKey || event.metaKey ? undefined : ARROWS[event.key]);

/** Scrolls a box sideways just as far as a part of it needs; `covered`: pixels at its left with something in front. */
export function revealAcross(box, part, covered = 0) {
  const [outer, inner] = [box.getBoundingClientRect(), part.getBoundingClientRect()];
  const left = outer.left + covered;
  if (inner.left < left) box.scrollLeft -= left - inner.left + 8;
  else if (inner.right > outer.right) box.scrollLeft += inner.right - outer.right + 8;
}

/** How much larger than its own pixels an element is shown: its own coordinates are the screen's divided by it. */
export const zoomOf = (element) => /** @type {any} */ (element).currentCSSZoom ?? 1;

/** Sizes a canvas in CSS pixels for the screen's density and returns its pen, cleared. */
export function sizeCanvas(canvas, width, height) {
  const ratio = (window.devicePixelRatio || 1) * zoomOf(canvas);
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}
