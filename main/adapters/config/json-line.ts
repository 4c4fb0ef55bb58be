/** The line, from 1, that V8's message about JSON is about: it names a position, or quotes what it met. */
export function lineOf(text: string, message: string): number {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  const at = position === undefined ? text.length : Number(position);
  return text.slice(0, at).split('\n').length;
}
