// The page's styles as an element needs them inside its shadow root: its width counts, not the window's; lengths follow the reader's
// font size, not that of a host's root; and every colour of the page can be given from outside.

/** Parts of the page that are never in an element. */
const ABSENT = /#(?:results|picture|verdict)\b|\.(?:skip|top|layout|stack|editor|editor-wrap|controls|controls-wrap|share|report-parts|digest|card)(?![\w-])|^(?:body|footer|dialog|h1)\b|::file-selector/;

/** @param {string} css @param {string} root a selector of the outermost element inside the shadow root */
export function shadowed(css, root) {
  return lean(css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    // Which theme holds is told, since a host's may differ from the system's.
    .replace(/@media \(prefers-color-scheme: dark\) \{\s*:root:not\([^)]*\) \{[^}]*\}\s*\}/g, '')
    .replace(/^(\s*)(--[a-z0-9-]+):\s*([^;]+);/gm, (_, space, name, value) => `${space}${name}: var(--agent-chaos${name.slice(1)}, ${value});`)
    .replaceAll(':root', root)
    .replace(/(^|\})\s*html \{/g, `$1 ${root} {`)
    .replace(/@media (\((?:min|max)-width: \d+px\)(?: and \((?:min|max)-width: \d+px\))?) \{/g, '@container $1 {')
    .replace(/(-?[\d.]+)rem\b/g, (_, number) => `calc(${number} * var(--unit))`)
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};]) ?/g, '$1')
    .replace(/;\}/g, '}')
    .trim());
}

/** Without the rules of what is not there. @param {string} css without comments and needless spaces */
function lean(css) {
  return css.replace(/(?<=^|[{}])([^{}@]+)\{([^{}]*)\}/g, (_, selectors, body) => {
    const kept = parts(selectors).filter((one) => !ABSENT.test(one));
    return kept.length ? `${kept.join(',')}{${body}}` : '';
  }).replace(/@[^{}]*\{\}/g, '');
}

/** The selectors of a list, of which commas in brackets part none. @param {string} list */
function parts(list) {
  const found = [''];
  let depth = 0;
  for (const letter of list) {
    depth += Number('(['.includes(letter)) - Number(')]'.includes(letter));
    if (letter === ',' && depth === 0) found.push('');
    else found[found.length - 1] += letter;
  }
  return found.map((one) => one.trim());
}
