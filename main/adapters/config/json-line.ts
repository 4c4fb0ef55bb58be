/**
 * The line, from 1, that V8's message about JSON is about. It names a position, or quotes the text around it: ten letters to each side of
 * what it did not expect, with dots where it has cut.
 */
export function lineOf(text: string, message: string): number {
  return text.slice(0, positionIn(text, message)).split('\n').length;
}

function positionIn(text: string, message: string): number {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  if (position !== undefined) return Number(position);
  const quote = /^Unexpected token '([\s\S]+?)', (\.\.\.)?"([\s\S]*)"(\.\.\.)? is not valid JSON$/.exec(message);
  if (quote === null) return text.length;
  const [, token = '', isCut, excerpt = ''] = quote;
  const start = text.indexOf(excerpt);
  if (start < 0) return text.length;
  return isCut === undefined ? start + Math.max(0, excerpt.indexOf(token)) : start + 10;
}
