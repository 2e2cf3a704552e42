import { render } from 'preact';
import { App } from './app.tsx';
import { takeInvitation } from './route.ts';
import './styles/tokens.css';
import './styles/base.css';

takeInvitation();
render(<App />, document.getElementById('app')!);
// A page that was opened by http on another machine has none.
navigator.serviceWorker?.register('/sw.js').catch(() => {});
