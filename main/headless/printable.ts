/**
 * Names inside an archive are untrusted: one that holds an escape sequence could clear the screen, rename the window or fake a line of
 * our output, and one with a direction mark could show `exe.txt` for `txt.exe`. Everything printed for people passes through here.
 */
// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu;

/** One line that a terminal shows as it is: control characters as `\x1b`, invisible and direction marks as `\u202e`. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** JSON that is the same document to a parser and harmless to a terminal. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
