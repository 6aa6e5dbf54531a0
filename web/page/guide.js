// Guided experiments.

/** @param {HTMLElement} place */
export function guide(place) {
  place.hidden = true;
}
