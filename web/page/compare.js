// Runs kept to compare with, and replications.

/** @param {HTMLElement} place */
export function compare(place) {
  place.hidden = true;
}
