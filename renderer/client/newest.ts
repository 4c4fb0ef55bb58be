/**
 * Asks one question at a time. What is asked while an answer is awaited waits for it, and of several only the newest is asked: so quick typing makes no
 * queue, and no timer decides when it is over. The signal is for a question that costs much: it ends as soon as a newer one is there.
 */
export function newest<Question, Answer>(
  ask: (question: Question, stale: AbortSignal) => Promise<Answer>,
  take: (answer: Answer, question: Question) => void,
  fail: (error: unknown, question: Question) => void,
): (question: Question) => void {
  let waiting: { readonly question: Question } | null = null;
  let stale: AbortController | null = null;

  async function work(): Promise<void> {
    while (waiting !== null) {
      const { question } = waiting;
      waiting = null;
      stale = new AbortController();
      try {
        const answer = await ask(question, stale.signal);
        if (waiting === null) take(answer, question);
      } catch (error) {
        if (waiting === null) fail(error, question);
      }
    }
    stale = null;
  }

  return (question) => {
    waiting = { question };
    if (stale === null) void work();
    else stale.abort();
  };
}
