// The second half of a double click is meant for what the first was: a button that has come to lie under the pointer meanwhile
// is not pressed by it.

/** @returns {() => void} */
export function twice() {
  /** @type {Element | null} */
  let pressed = null;
  /** @param {MouseEvent} event */
  const clicked = (event) => {
    const target = event.target instanceof Element ? event.target.closest('button, a') : null;
    // Keys have no count, and a click elsewhere begins a new one.
    if (event.detail > 1 && target && target !== pressed) {
      event.preventDefault();
      event.stopPropagation();
    } else pressed = target;
  };
  addEventListener('click', clicked, true);
  return () => removeEventListener('click', clicked, true);
}
