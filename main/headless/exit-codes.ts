import type { FaultCode } from '../contract/faults.ts';
import type { Warning } from '../contract/reports.ts';

/** The process's exit codes. Scripts depend on them: they never change their meaning. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  warnings: 3,
  notFound: 10,
  locked: 11,
  wrongPassword: 12,
  damaged: 13,
  cancelled: 130,
} as const;

const byFault: Readonly<Partial<Record<FaultCode, number>>> = {
  'config-invalid': exitCodes.usage,
  'not-found': exitCodes.notFound,
  locked: exitCodes.locked,
  'wrong-password': exitCodes.wrongPassword,
  'wrong-key': exitCodes.wrongPassword,
  corrupt: exitCodes.damaged,
  truncated: exitCodes.damaged,
  cancelled: exitCodes.cancelled,
};

export function exitCodeOf(code: FaultCode): number {
  return byFault[code] ?? exitCodes.failed;
}

/** What a run that came to its end exits with; mere notes do not count. */
export function exitCodeOfReport(report: { readonly warnings: readonly Pick<Warning, 'level'>[] }): number {
  return report.warnings.some(({ level }) => level !== 'note') ? exitCodes.warnings : exitCodes.done;
}

export const exitCodeHelp = `Exit codes

    0  done
    1  failed
    2  wrong usage or configuration
    3  done, with warnings (each is on standard error, or in the JSON document)
   10  not found: destination, snapshot, path or folder
   11  locked: another run works there, or the folder is in use
   12  wrong password or wrong key
   13  damaged: an object or a file is altered or cut short
  130  cancelled (Ctrl-C)
`;
