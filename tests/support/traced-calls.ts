/** A system call as strace saw it (`-f -y -qq`), its beginning and end by their place in the log. */
export interface TracedCall {
  readonly name: string;
  /** All between the brackets; a descriptor with what it stands for: `3</srv/x>`. */
  readonly args: string;
  readonly result: string;
  readonly begun: number;
  readonly ended: number;
}

/** Calls that other threads' calls cut in two are put together; what never ended is left out. */
export function tracedCalls(log: string): readonly TracedCall[] {
  const calls: TracedCall[] = [];
  const open = new Map<string, { readonly args: string; readonly begun: number }>();
  for (const [at, line] of log.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const cut = /^(\w+)\((.*?),? *<unfinished \.\.\.>$/.exec(rest);
    if (cut !== null) {
      open.set(`${thread} ${cut[1] ?? ''}`, { args: cut[2] ?? '', begun: at });
      continue;
    }
    const [, resumed, name = resumed ?? '', args = '', result = ''] = /^(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)\) += (.*)$/.exec(rest) ?? [];
    if (name === '') continue;
    const before = resumed === undefined ? undefined : open.get(`${thread} ${name}`);
    open.delete(`${thread} ${name}`);
    calls.push({ name, args: `${before?.args ?? ''}${args}`, result, begun: before?.begun ?? at, ended: at });
  }
  return calls;
}
