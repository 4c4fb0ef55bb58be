import axe from 'axe-core';
import type { Page } from 'playwright';

/*
 * What axe finds in a page, a line for each rule: empty where it finds nothing. The page has no frames, so that axe runs in it alone. Of what passes nothing is
 * asked, as it is long.
 */

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

const told = ({ id, nodes }: Finding): string => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`;

/** All rules, of the page as it is now. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  // Once for a document: reading it takes as long as a look.
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(`${axe.source}; undefined`);
  const violations = await page.evaluate<readonly Finding[]>(
    `window.axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return violations.map(told);
}

/** Contrasts alone, of a page that `axeFindings` has looked at. */
export async function contrastFindings(page: Page): Promise<readonly string[]> {
  const { violations, passed } = await page.evaluate<{ readonly violations: readonly Finding[]; readonly passed: number }>(
    `window.axe
      .run({ runOnly: ['color-contrast'], resultTypes: ['violations'] })
      .then(({ violations, passes }) => ({ violations, passed: passes.length }))`,
  );
  if (violations.length + passed === 0) throw new Error('axe looked at no text');
  return violations.map(told);
}
