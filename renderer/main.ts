import { mount } from 'svelte';
import App from './App.svelte';
import { session } from './client/session.svelte.ts';
import { theme } from './client/theme.svelte.ts';
import { words } from './words/language.svelte.ts';
import './design/tokens.css';
import './design/base.css';

const target = document.getElementById('page');
if (target === null) throw new Error('The page has no place to stand.');
await session.begin();
theme.begin();
words.begin();
mount(App, { target });
