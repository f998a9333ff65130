import './style/tokens.css';
import './style/base.css';
import './style/theme';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { prefetch } from './pages/sections';

prefetch(location.pathname);

createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);
