import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright';

/*
 * What axe finds in a page, a line for each rule: empty where it finds nothing. The page has no frames, so that axe runs in it alone: otherwise each analysis
 * opens another tab. Of what passes nothing is asked, as it is long.
 */

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

const told = ({ id, nodes }: Finding): string => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`;

/** All rules, of the page as it is now. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .analyze();
  return violations.map(told);
}

/** Contrasts alone, of a page that `axeFindings` has looked at: axe is in it already, and reading that again takes longer than the look. */
export async function contrastFindings(page: Page): Promise<readonly string[]> {
  const { violations, passes } = await page.evaluate<{ readonly violations: readonly Finding[]; readonly passes: readonly Finding[] }>(
    `window.axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations', 'passes'] })`,
  );
  if (violations.length + passes.length === 0) throw new Error('axe looked at no text');
  return violations.map(told);
}
