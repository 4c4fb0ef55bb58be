import type { ServerState, ServerStatus } from '../../../main/contract/server-status.ts';

/** What needs a person comes first. */
const order: readonly ServerState[] = ['failed', 'sign-in-needed', 'overdue', 'late', 'running', 'new', 'paused', 'ok'];

export function inOrder(servers: Iterable<ServerStatus>, language: string): readonly ServerStatus[] {
  return [...servers].sort(
    (one, other) => order.indexOf(one.state) - order.indexOf(other.state) || one.settings.name.localeCompare(other.settings.name, language),
  );
}
