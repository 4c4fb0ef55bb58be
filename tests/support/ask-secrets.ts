/** Asks the questions in its arguments with the real host, and writes the answers to the file named first, as JSON. */
import { writeFileSync } from 'node:fs';
import { asFault } from '../../main/contract/faults.ts';
import { composeHost } from '../../main/headless/compose.ts';

const [file = '', ...questions] = process.argv.slice(2);
const { askSecret } = composeHost(new AbortController().signal, {});
if (askSecret === null) throw new Error('no terminal');
const answers: string[] = [];
try {
  for (const question of questions) answers.push(await askSecret(question));
} catch (error) {
  answers.push(`fault ${asFault(error, 'ask').code}`);
}
writeFileSync(file, JSON.stringify(answers));
