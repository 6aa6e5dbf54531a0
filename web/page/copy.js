// Copying to the clipboard, and what to do where a browser does not lend it.

/**
 * @param {string} text
 * @param {HTMLInputElement | HTMLTextAreaElement} field that shows the text
 * @param {string} done what is said when it is copied
 * @returns {Promise<string>} what to say
 */
export async function copyText(text, field, done = 'Copied.') {
  try {
    await navigator.clipboard.writeText(text);
    return done;
  } catch {
    field.focus();
    field.select();
    return 'This browser did not allow copying: it is selected, copy it from here.';
  }
}
