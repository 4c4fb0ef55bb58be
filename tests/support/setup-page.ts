import { expect } from 'vitest';
import type { Fault } from '../../main/contract/faults.ts';

const ofAccount = ['unauthenticated', 'sign-in-needed', 'permission-denied', 'quota-exceeded'];

/** Whatever is wrong with an account, the step to take names the page that sets it up. */
export function expectPage({ code, context }: Fault, page: string): void {
  if (ofAccount.includes(code)) expect(context['next']).toContain(page);
}
