// Bytes as text of 85 letters, four in five: a fifteenth less than base64, in a page that carries its engine with it. None of the
// letters means anything in markup.

const LETTERS = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter((letter) => !'"&\'<>\\`~-'.includes(letter)).join('');

/** @param {Uint8Array} bytes */
export function encode(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    let number = 0;
    for (let next = 0; next < 4; next++) number = number * 256 + (bytes[at + next] ?? 0);
    let five = '';
    for (let letter = 0; letter < 5; letter++) {
      five = LETTERS[number % 85] + five;
      number = Math.floor(number / 85);
    }
    // Of the last ones, as many as it takes.
    text += five.slice(0, Math.min(bytes.length - at, 4) + 1);
  }
  return text;
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function decode(text) {
  const values = new Uint8Array(128).fill(255);
  [...LETTERS].forEach((letter, value) => { values[letter.charCodeAt(0)] = value; });
  const bytes = new Uint8Array(Math.floor((text.length * 4) / 5));
  for (let at = 0, to = 0; at < text.length; at += 5) {
    let number = 0;
    for (let next = 0; next < 5; next++) {
      // What is missing at the end counts as the highest, so that nothing is lost by rounding down.
      const value = at + next < text.length ? values[text.charCodeAt(at + next)] ?? 255 : 84;
      if (value === 255) throw new RangeError(`found "${text[at + next]}" in packed bytes, accepted: the 85 letters they are written in`);
      number = number * 85 + value;
    }
    for (let shift = 3; shift >= 0; shift--) {
      if (to < bytes.length) bytes[to++] = Math.floor(number / 256 ** shift) % 256;
    }
  }
  return bytes;
}
