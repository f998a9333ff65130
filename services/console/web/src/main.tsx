import './style/tokens.css';
import './style/base.css';
import './style/theme';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { restore } from './api/session';
import { App } from './app';
import { prefetch } from './pages/sections';

prefetch(location.pathname);
// Asked at once, while the page is still being fetched and nothing is drawn: reads wait for the answer.
const asked = restore().then(() => undefined, (problem: unknown) => problem);

createRoot(document.getElementById('root')!).render(<StrictMode><App asked={asked} /></StrictMode>);
