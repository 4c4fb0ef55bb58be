/**
 * Asks one question at a time. What is asked while an answer is awaited waits for it, and of several only the newest is asked: so quick typing makes no
 * queue, and no timer decides when it is over.
 */
export function newest<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  take: (answer: Answer, question: Question) => void,
  fail: (error: unknown, question: Question) => void,
): (question: Question) => void {
  let waiting: { readonly question: Question } | null = null;
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    while (waiting !== null) {
      const { question } = waiting;
      waiting = null;
      try {
        const answer = await ask(question);
        if (waiting === null) take(answer, question);
      } catch (error) {
        if (waiting === null) fail(error, question);
      }
    }
    busy = false;
  }

  return (question) => {
    waiting = { question };
    if (!busy) void work();
  };
}
