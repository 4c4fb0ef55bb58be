type Path = readonly PropertyKey[];

/**
 * The line, from 1, on which a member of a JSON text begins; of the last one on the way that is there when it is missing. The text must be JSON:
 * it has been parsed before.
 */
export function lineOfMember(text: string, path: Path): number {
  let at = 0;
  let found = 0;

  const space = (): void => {
    while (/\s/.test(text[at] ?? '')) at += 1;
  };

  function string(): string {
    const start = at;
    for (at += 1; text[at] !== '"' && at < text.length; at += 1) if (text[at] === '\\') at += 1;
    at += 1;
    return JSON.parse(text.slice(start, at)) as string;
  }

  /** Reads a value; `rest` is what is still to be followed below it, null where nothing here is looked for. */
  function value(rest: Path | null): void {
    space();
    const opening = text[at];
    if (opening === '"') {
      string();
      return;
    }
    if (opening !== '{' && opening !== '[') {
      while (at < text.length && !/[\s,\]}]/.test(text[at] ?? '')) at += 1;
      return;
    }
    at += 1;
    for (let index = 0; ; index += 1) {
      space();
      if (text[at] === '}' || text[at] === ']') break;
      const start = at;
      const name = opening === '{' ? string() : index;
      if (opening === '{') {
        space();
        at += 1;
      }
      const isOnTheWay = rest !== null && rest.length > 0 && String(rest[0]) === String(name);
      if (isOnTheWay) found = start;
      value(isOnTheWay ? rest.slice(1) : null);
      space();
      if (text[at] === ',') at += 1;
      else break;
    }
    at += 1;
  }

  value(path);
  return text.slice(0, found).split('\n').length;
}
