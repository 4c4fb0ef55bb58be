import type { z } from 'zod';

/** What a schema found first, for people: the member and what is wrong with it. */
export function firstIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'not understood';
  const member = issue.path.map(String).join('.');
  return member === '' ? issue.message : `${member}: ${issue.message}`;
}
