import { Refusal } from './refusal.ts';
import type { Item } from './state.ts';

type Test = (item: Item) => boolean;

/** A search query (Google: "Search query terms and operators"), as far as backups and rclone use it. Anything else is 400. */
export function parseQuery(text: string): Test {
  const tokens = [...text.matchAll(/\s*('(?:\\.|[^'\\])*'|[()]|!=|<=|>=|[=<>]|[{},]|[\w.]+)/gy)].map(([, token = '']) => token);
  if (tokens.join('').length !== text.replace(/\s+(?=(?:[^']|'(?:\\.|[^'\\])*')*$)/g, '').length) throw bad(text);
  let at = 0;

  const peek = (): string => tokens[at] ?? '';
  function take(expected?: string): string {
    const token = tokens[at++];
    if (token === undefined || (expected !== undefined && token !== expected)) throw bad(text);
    return token;
  }
  function literal(): string {
    const token = take();
    if (!token.startsWith("'")) throw bad(text);
    return token.slice(1, -1).replace(/\\(.)/g, '$1');
  }

  function either(): Test {
    let test = both();
    while (peek() === 'or') {
      take();
      const [left, right] = [test, both()];
      test = (item) => left(item) || right(item);
    }
    return test;
  }
  function both(): Test {
    let test = one();
    while (peek() === 'and') {
      take();
      const [left, right] = [test, one()];
      test = (item) => left(item) && right(item);
    }
    return test;
  }
  function one(): Test {
    if (peek() === 'not') {
      take();
      const inner = one();
      return (item) => !inner(item);
    }
    if (peek() === '(') {
      take();
      const inner = either();
      take(')');
      return inner;
    }
    if (peek().startsWith("'")) {
      const id = literal();
      take('in');
      take('parents');
      return ({ parents }) => parents.includes(id);
    }
    const field = take();
    const operator = take();
    if (field === 'trashed') {
      const wanted = take() === 'true';
      return ({ trashed }) => trashed === wanted;
    }
    const value = literal();
    if (field === 'name' && operator === '=') return ({ name }) => name.toLowerCase() === value.toLowerCase();
    if (field === 'name' && operator === 'contains') return ({ name }) => name.toLowerCase().startsWith(value.toLowerCase());
    if (field === 'mimeType' && (operator === '=' || operator === '!='))
      return ({ mimeType }) => (mimeType === value) === (operator === '=');
    throw bad(text);
  }

  const test = either();
  if (at !== tokens.length) throw bad(text);
  return test;
}

function bad(text: string): Refusal {
  return new Refusal(400, `invalid: ${text}`);
}
