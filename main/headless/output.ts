import type { FaultText } from '../contract/fault-texts.ts';
import type { Fault } from '../contract/faults.ts';
import type { Warning } from '../contract/reports.ts';
import type { CliHost, Sink } from './host.ts';
import { printable, printableJson } from './printable.ts';

/** A job's history may be older, or of a newer version, and hold kinds that are not known here. */
export type Told = Omit<Warning, 'code'>;

/** Warnings printed one by one; the rest is only counted, and all are in the JSON document. */
const maxWarningsShown = 50;

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
const escapes: Readonly<Record<Style, string>> = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' };

/** Colour only on a terminal, and never against NO_COLOR (no-color.org). */
export function painter(sink: Sink, env: CliHost['env']): (style: Style, text: string) => string {
  const plain = !sink.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return (style, text) => (plain ? text : `\u001b[${escapes[style]}m${text}\u001b[0m`);
}

/** One JSON document and a line end on standard output. */
export async function printJson(host: CliHost, value: unknown): Promise<void> {
  await host.stdout.write(`${printableJson(value)}\n`);
}

/** A line of data for people on standard output; what it was made of must have been made printable. */
export async function printLine(host: CliHost, line: string): Promise<void> {
  await host.stdout.write(`${line}\n`);
}

/** A line that is no data: on standard error. */
export async function note(host: CliHost, line: string): Promise<void> {
  await host.stderr.write(`${line}\n`);
}

export async function warn(host: CliHost, message: string): Promise<void> {
  await note(host, `${painter(host.stderr, host.env)('yellow', 'Warning:')} ${printable(message)}`);
}

export async function printWarnings(host: CliHost, warnings: readonly Told[]): Promise<void> {
  // What makes the exit code 3 comes first: a thousand skipped sockets must not push it off the screen.
  const sorted = [...warnings.filter(({ level }) => level !== 'note'), ...warnings.filter(({ level }) => level === 'note')];
  for (const { message, path, level } of sorted.slice(0, maxWarningsShown)) {
    const text = path === undefined ? message : `${path}: ${message}`;
    await (level === 'note' ? note(host, `Note: ${printable(text)}`) : warn(host, text));
  }
  const more = sorted.length - maxWarningsShown;
  if (more > 0) await note(host, `… and ${more.toLocaleString('en-US')} more; --json lists them all`);
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Lines of a table, columns two spaces apart, nothing behind the last one. Cells must be printable. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = columns.map((column, index) => rows.reduce((most, row) => Math.max(most, width(row[index] ?? '')), width(column.title)));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell)));
        return column.align === 'right' ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

function width(text: string): number {
  return Array.from(text).length;
}

/** A fault as the one JSON document of a `--json` run. */
export async function printFaultJson(
  host: CliHost,
  fault: Fault,
  about: { readonly operation: string; readonly next: string },
): Promise<void> {
  const { code, message, context } = fault;
  await printJson(host, { ok: false, fault: { code, message, operation: about.operation, context, next: about.next } });
}

/** What happened, its cause when there is one, what to do next; the stack only for HOLDFAST_DEBUG=1. */
export async function printFault(host: CliHost, fault: Fault, text: FaultText): Promise<void> {
  const paint = painter(host.stderr, host.env);
  await note(host, `${paint('red', 'holdfast:')} ${printable(describe(fault, text))}`);
  const cause = causeLine(fault);
  if (cause !== null) await note(host, `Cause: ${printable(cause)}`);
  if (text.next !== '') await note(host, `${paint('bold', 'Next:')} ${printable(text.next)}`);
  if (host.env['HOLDFAST_DEBUG'] !== '1') return;
  for (let error: unknown = fault; error instanceof Error; error = error.cause) {
    for (const line of (error.stack ?? String(error)).split('\n')) await note(host, printable(line));
  }
}

function describe(fault: Fault, text: FaultText): string {
  return fault.message === '' ? text.says : fault.message;
}

/** The innermost reason that says something new. */
function causeLine(fault: Fault): string | null {
  let found: string | null = null;
  for (let error = fault.cause; error instanceof Error; error = error.cause) {
    if (error.message !== '' && !fault.message.includes(error.message)) found = error.message;
  }
  return found;
}
