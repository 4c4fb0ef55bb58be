/** Text that is HTML already. */
export interface Markup {
  readonly trusted: string;
}

/** HTML from a template: what is put in is escaped, for content and quoted attributes alike, unless it is HTML itself. */
export function markup(pieces: TemplateStringsArray, ...values: readonly (string | Markup | readonly Markup[])[]): Markup {
  return { trusted: pieces.reduce((text, piece, index) => text + shown(values[index - 1] ?? '') + piece) };
}

function shown(value: string | Markup | readonly Markup[]): string {
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return 'trusted' in value ? value.trusted : value.map(({ trusted }) => trusted).join('');
}
