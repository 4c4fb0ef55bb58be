export interface Redactor {
  /** From now on this value is hidden wherever it turns up. Shorter than four characters it would hide what is no secret. */
  register(secret: string): void;
  /** The text without any registered value, as it is or as JSON and addresses write it. */
  readonly text: (text: string) => string;
  /** The same for everything inside, and what lies under a name that speaks of secrets is hidden whatever it is. */
  value(value: unknown): unknown;
}

const hidden = '[hidden]';
const leastLength = 4;
const leastPart = 12;
const secretName = /pass(word|phrase)|secret|token|credential|authorization|cookie|api-?key|access-?key|private-?key|recovery-?key/i;

export function redactor(): Redactor {
  const known = new Set<string>();
  let pattern: RegExp | null = null;

  function text(from: string): string {
    if (known.size === 0) return from;
    // The longest first: one secret may begin with another.
    pattern ??= new RegExp(
      [...known]
        .sort((a, b) => b.length - a.length)
        .map(escaped)
        .join('|'),
      'g',
    );
    return from.replace(pattern, hidden);
  }

  function value(from: unknown): unknown {
    if (typeof from === 'string') return text(from);
    if (Array.isArray(from)) return from.map(value);
    if (typeof from !== 'object' || from === null) return from;
    return Object.fromEntries(Object.entries(from).map(([name, one]) => [text(name), isSecret(name, one) ? hidden : value(one)]));
  }

  return {
    register(secret) {
      if (secret.length < leastLength) return;
      for (const part of [secret, ...partsOfAddress(secret)]) for (const form of formsOf(part)) known.add(form);
      pattern = null;
    },
    text,
    value,
  };
}

/** As it is, and as JSON and addresses write it. */
function formsOf(secret: string): readonly string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

/** Of an address that is a secret as a whole, the parts that make it one. */
function partsOfAddress(secret: string): readonly string[] {
  const url = /^https?:/.test(secret) ? URL.parse(secret) : null;
  if (url === null) return [];
  return [...url.pathname.split('/'), ...url.searchParams.values(), url.password].filter((part) => part.length >= leastPart);
}

/** That there is a password, or how many, is none. */
function isSecret(name: string, value: unknown): boolean {
  return secretName.test(name) && (typeof value === 'string' ? value !== '' : typeof value === 'object' && value !== null);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
