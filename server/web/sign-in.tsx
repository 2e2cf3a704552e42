/** Signing in, and creating an account. */
import { ClientError } from 'letsapp-client';
import { useState } from 'preact/hooks';
import { account } from './account.ts';
import { Field } from './parts/field.tsx';
import { Mark } from './parts/mark.tsx';
import { useRoute } from './route.ts';
import './styles/sign-in.css';

const FORMS = {
  'sign-in': { title: 'Sign in', other: 'Create account', question: 'New here?' },
  register: { title: 'Create account', other: 'Sign in', question: 'Have an account?' },
};

export function SignIn({ onSignedIn }: { onSignedIn(): void }) {
  const [form, setForm] = useState<keyof typeof FORMS>('sign-in');
  const [refusal, setRefusal] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const { title, other, question } = FORMS[form];
  const isInvited = useRoute().at === 'join';

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name) ?? '');
    setBusy(true);
    setRefusal(undefined);
    try {
      const password = text('password');
      if (form === 'sign-in') await account.login({ login: text('login').trim(), password });
      else await account.register({ username: text('username').trim(), email: text('email').trim(), password });
      onSignedIn();
    } catch (error) {
      setRefusal(inWords(error, form));
      setBusy(false);
    }
  }

  return (
    <main class="sign-in">
      <form class="sign-in__card" onSubmit={submit} noValidate>
        <Mark />
        <h1>{title}</h1>
        {isInvited && <p class="sign-in__note">Then you can join the group that you are invited to.</p>}
        {form === 'sign-in' ? (
          <Field label="Username or email" name="login" autoComplete="username" autoFocus />
        ) : (
          <>
            <Field label="Username" name="username" autoComplete="username" autoFocus />
            <Field label="Email" name="email" type="email" autoComplete="email" />
          </>
        )}
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete={form === 'sign-in' ? 'current-password' : 'new-password'}
          hint={form === 'register' ? 'At least 8 characters' : undefined}
        />
        {refusal !== undefined && (
          <p class="refusal" role="alert">
            {refusal}
          </p>
        )}
        <button class="button button--main" type="submit" disabled={isBusy}>
          {title}
        </button>
        <p class="sign-in__other">
          {question}{' '}
          <button
            class="link"
            type="button"
            onClick={() => {
              setForm(form === 'sign-in' ? 'register' : 'sign-in');
              setRefusal(undefined);
            }}
          >
            {other}
          </button>
        </p>
      </form>
    </main>
  );
}

/** Why it did not work, for people. */
function inWords(error: unknown, form: keyof typeof FORMS): string {
  if (!(error instanceof ClientError)) return 'The server cannot be reached. Try again in a moment.';
  const [detail] = Array.isArray(error.details) ? (error.details as { path?: string; message?: string }[]) : [];
  switch (error.code) {
    case 'unauthenticated':
      return 'Username or password is wrong.';
    case 'conflict':
      return `This ${detail?.path === 'email' ? 'email address' : 'username'} is taken.`;
    case 'forbidden':
    case 'not_found':
      return form === 'register' ? 'New accounts are not open here.' : 'Sign in through your own app.';
    case 'rate_limited':
      return 'Too many attempts. Wait a moment.';
    case 'validation_failed':
      return detail ? `${capital(detail.path ?? '')} ${detail.message ?? 'is not valid'}.` : 'Check what you typed.';
    default:
      return 'The server cannot be reached. Try again in a moment.';
  }
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
