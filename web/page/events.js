// The event list.

/** @param {HTMLElement} place */
export function events(place) {
  place.hidden = true;
}
