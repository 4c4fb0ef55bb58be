/** A name of small letters, digits and dashes that nobody has yet. */
export function freeSlug(text: string, taken: (slug: string) => boolean): string {
  const slug =
    text
      .normalize('NFKD')
      .toLowerCase()
      .replaceAll('ß', 'ss')
      .replace(/[\u0300-\u036f]/g, '')
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 56)
      .replace(/^-+|-+$/g, '') || 'server';
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slug : `${slug}-${number}`;
    if (!taken(candidate)) return candidate;
  }
}
