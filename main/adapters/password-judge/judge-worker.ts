import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as german, translations as inGerman } from '@zxcvbn-ts/language-de';
import { dictionary as english, translations as inEnglish } from '@zxcvbn-ts/language-en';
import type { JudgeQuestion, Judgement } from './password-judge.ts';

/** So many characters are judged; what follows can only make a password harder to guess. The work grows faster than the length. */
const maxLength = 32;
/** Of letters by signs that look alike: each combination is another look into all dictionaries. */
const l33tMaxSubstitutions = 8;

const judge = new ZxcvbnFactory({
  dictionary: { ...common, ...english, ...Object.fromEntries(Object.entries(german).map(([name, words]) => [`${name}-de`, words])) },
  graphs: adjacencyGraphs,
  maxLength,
  l33tMaxSubstitutions,
});

const texts = {
  en: { ...inEnglish.warnings, ...inEnglish.suggestions, userInputs: 'Names of your servers and of this computer are easy to guess.' },
  de: { ...inGerman.warnings, ...inGerman.suggestions, userInputs: 'Namen deiner Server und dieses Computers sind leicht zu erraten.' },
} as const;

function answer({ password, language, known }: JudgeQuestion): Judgement {
  const { score, feedback } = judge.check(password, [...known]);
  const said = (key: string): string => (texts[language] as Readonly<Record<string, string>>)[key] ?? '';
  const suggestions = feedback.suggestions.map(said).filter((text) => text !== '');
  return { score, warning: feedback.warning === null ? '' : said(feedback.warning), suggestions };
}

parentPort?.on('message', ({ id, question }: { readonly id: number; readonly question: JudgeQuestion }) => {
  parentPort?.postMessage({ id, judgement: answer(question) });
});
