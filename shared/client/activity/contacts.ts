/** Asks for the contacts, once somebody looks at them and again with each connection. */
import type { Call } from '../commands.ts';

export interface ContactsWatch {
  /** Somebody looks at the contacts. */
  look(): void;
  /** There is a new connection. */
  flush(): void;
}

export function createContactsWatch({ call, isReady }: { call: Call; isReady(): boolean }): ContactsWatch {
  let isWanted = false;
  let isAsked = false;

  function ask(): void {
    if (isAsked || !isWanted || !isReady()) return;
    isAsked = true;
    // What was refused is asked for again with the next connection.
    call('contact:list', {}).catch(() => {});
  }
  return {
    look() {
      isWanted = true;
      ask();
    },
    flush() {
      isAsked = false;
      ask();
    },
  };
}
