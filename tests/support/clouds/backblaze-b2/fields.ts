import { badRequest, Refusal } from './refusal.ts';

/** The fields of one call. Whatever has another name is refused, as B2 does. */
export interface Fields {
  text(name: string): string;
  optional(name: string): string | undefined;
  number(name: string, fallback: number, most: number): number;
  list(name: string): readonly string[];
  map(name: string): Readonly<Record<string, string>>;
}

export function readFields(body: string, allowed: readonly string[]): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refusal(400, 'bad_json', 'not a JSON object');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(400, 'bad_json', 'not a JSON object');
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(fields)) if (!allowed.includes(name)) throw new Refusal(400, 'bad_json', `unknown field: ${name}`);

  function optional(name: string): string | undefined {
    const found = fields[name] ?? undefined;
    if (found === undefined || typeof found === 'string') return found;
    throw new Refusal(400, 'bad_json', `${name} must be a string`);
  }

  return {
    optional,
    text(name) {
      const found = optional(name);
      if (found === undefined || found === '') throw badRequest(`required field ${name} is missing`);
      return found;
    },
    number(name, fallback, most) {
      const found = fields[name] ?? fallback;
      if (typeof found !== 'number' || !Number.isInteger(found)) throw new Refusal(400, 'bad_json', `${name} must be a number`);
      if (found < 1 || found > most) throw badRequest(`${name} out of range: ${found}`);
      return found;
    },
    list(name) {
      const found = fields[name];
      if (Array.isArray(found) && found.every((item) => typeof item === 'string')) return found;
      throw badRequest(`${name} must be a list of strings`);
    },
    map(name) {
      const found = fields[name] ?? {};
      if (typeof found === 'object' && Object.values(found).every((item) => typeof item === 'string'))
        return found as Record<string, string>;
      throw new Refusal(400, 'bad_json', `${name} must map strings to strings`);
    },
  };
}
