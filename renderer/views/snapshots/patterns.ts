/** A byte that is no UTF-8, as the service shows it. */
const shownByte = /\\x[89a-f][0-9a-f]/g;
/** Such a byte cannot be written in a pattern, which is text; this stands for any byte beyond ASCII. */
const anyByte = '[^\u0001-\u007f]';

/**
 * gitignore patterns for one path and nothing else: bound to the top, and every character that means more than itself escaped, a space at the end
 * among them. A name that is no UTF-8 looks like one in which `\xff` was typed, so both are named.
 */
export function literalPatterns(path: string): readonly string[] {
  const literal = `/${escaped(path)}`;
  const parts = path.split(shownByte);
  return parts.length === 1 ? [literal] : [literal, `/${parts.map(escaped).join(anyByte)}`];
}

function escaped(text: string): string {
  // A line end is taken for the end of a pattern unless it stands in brackets, which a backslash before it does not change.
  return text.replace(/[\\*?[\]!# \t]/g, '\\$&').replace(/[\r\n]/g, '[$&]');
}
