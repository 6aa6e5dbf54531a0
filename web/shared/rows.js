// A list that is too long to be drawn whole: which of its rows are in view, and where they lie.

/** Browsers lay out nothing higher than some millions of pixels. */
export const MOST_PIXELS = 8_000_000;

/**
 * @typedef {object} Shape
 * @property {number} total rows in the list
 * @property {number} row height of a row in pixels
 * @property {number} view height of what is visible of the list in pixels
 */

/** How high the list is laid out. @param {Shape} shape */
export const height = ({ total, row }) => Math.min(total * row, MOST_PIXELS);

/** How far it can be scrolled. @param {Shape} shape */
const reach = (shape) => Math.max(0, height(shape) - shape.view);

/** How far it could be scrolled if it were laid out in full. @param {Shape} shape */
const fullReach = ({ total, row, view }) => Math.max(0, total * row - view);

/** Pixels of the whole list above what is visible. @param {Shape} shape @param {number} scrolled */
export function above(shape, scrolled) {
  const most = reach(shape);
  return most === 0 ? 0 : (Math.min(Math.max(scrolled, 0), most) / most) * fullReach(shape);
}

/** How far to scroll for so many pixels of the whole list to be above what is visible. @param {Shape} shape @param {number} pixels */
export function scrollFor(shape, pixels) {
  const most = fullReach(shape);
  return most === 0 ? 0 : (Math.min(Math.max(pixels, 0), most) / most) * reach(shape);
}

/**
 * The rows in view: the first, one beyond the last, and how far the first begins below the top of
 * what is visible (most often above it: less than 0).
 * @param {Shape} shape @param {number} scrolled
 */
export function inView(shape, scrolled) {
  const hidden = above(shape, scrolled);
  const first = Math.floor(hidden / shape.row);
  const last = Math.min(shape.total, Math.ceil((hidden + shape.view) / shape.row));
  return { first, last: Math.max(first, last), offset: first * shape.row - hidden };
}

/**
 * How far to scroll for a row to be in view: as little as will do.
 * @param {Shape} shape @param {number} scrolled @param {number} index
 */
export function reveal(shape, scrolled, index) {
  const hidden = above(shape, scrolled);
  const top = index * shape.row;
  if (top < hidden) return scrollFor(shape, top);
  const bottom = top + shape.row;
  return bottom > hidden + shape.view ? scrollFor(shape, bottom - shape.view) : scrolled;
}
