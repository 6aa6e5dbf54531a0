// What is in a file that somebody opened or dropped: a profile, a report with its profile, or something else, which is said.

export const MOST_BYTES = 1_000_000;

/** @param {{ name: string, size: number }[]} files what was picked or dropped @returns {string} what is wrong with it, else "" */
export function refusal(files) {
  if (files.length === 0) return 'No file was dropped; nothing was changed.';
  if (files.length > 1) return `${files.length} files at once: open one profile at a time; nothing was changed.`;
  const [{ name, size }] = files;
  if (size > MOST_BYTES) return `“${name}” has ${(size / 1e6).toFixed(1)} MB; a profile has at most 1 MB. Nothing was changed.`;
  if (size === 0) return `“${name}” is empty; nothing was changed.`;
  return '';
}

/**
 * @param {string} name @param {Uint8Array} bytes
 * @returns {{ profile: string, of: 'profile' | 'report' } | { wrong: string }}
 */
export function contents(name, bytes) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { wrong: `“${name}” is not text in UTF-8, so it is not a profile; nothing was changed.` };
  }
  let tree;
  try {
    tree = JSON.parse(text);
  } catch {
    // A profile with a slip in it is one for the engine, which names the place.
    if (/^\s*\{/.test(text)) return { profile: text, of: 'profile' };
    return { wrong: `“${name}” is not JSON, so it is not a profile; nothing was changed.` };
  }
  if (tree === null || typeof tree !== 'object' || Array.isArray(tree)) return { wrong: `“${name}” has JSON in it, but a profile is a section in braces; nothing was changed.` };
  // No profile has a field of that name; reports and summaries have.
  if (tree.profile !== null && typeof tree.profile === 'object') return { profile: JSON.stringify(tree.profile), of: 'report' };
  return { profile: text, of: 'profile' };
}
