// What the run of a link showed: the four cases.

/** @typedef {'reproduced' | 'edited' | 'different' | 'unverified'} Outcome */

/**
 * @param {{ expected_digest: string | null, profile_matches: boolean | null }} opened
 * @param {string} digest 16 hex digits of the run
 * @returns {Outcome}
 */
export function outcome(opened, digest) {
  if (opened.expected_digest === null || opened.profile_matches === null) return 'unverified';
  if (!opened.profile_matches) return 'edited';
  return digest.startsWith(opened.expected_digest) ? 'reproduced' : 'different';
}

/**
 * How good it is news whether a system came back; the words beside it say the same.
 * @param {{ recovered: boolean | null, metastable: boolean | null }} recovery
 * @returns {'good' | 'warn' | 'bad' | ''}
 */
export function tone({ recovered, metastable }) {
  if (metastable) return 'bad';
  if (recovered === null) return '';
  return recovered ? 'good' : 'warn';
}
