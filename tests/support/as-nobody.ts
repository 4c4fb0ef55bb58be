/**
 * Runs `work` without root's powers, since root may do everything that permissions forbid. Tests run as an ordinary user have no
 * such powers to begin with.
 */
export async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  const { geteuid, seteuid } = process;
  if (geteuid === undefined || seteuid === undefined || geteuid() !== 0) return await work();
  seteuid(65_534);
  try {
    return await work();
  } finally {
    seteuid(0);
  }
}
