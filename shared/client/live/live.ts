/** Values that change, with listeners: what the app shows. */

export interface Live<T> {
  /** The value now. It keeps its identity until it changes. */
  get(): T;
  /** Calls the listener after changes, at most once per turn of the event loop; what it returns ends that. */
  subscribe(listener: () => void): () => void;
}

/** A live value that is computed from others' state. */
interface Watched {
  /** Looks whether the value has another identity than it was last told with, and calls the listeners if so. */
  tell(): void;
}

export interface LiveOptions<T> {
  /** What the value is made of; it is made again when one of these has another identity. */
  inputs(): readonly unknown[];
  make(): T;
  /** Whether a value that was made anew says the same as the one before, which then stays. */
  isSame?: (one: NoInfer<T>, other: NoInfer<T>) => boolean;
  /** Called when the first listener comes, and when the last one goes. */
  onWatched?(isWatched: boolean): void;
  /** Called when somebody looks. */
  onLook?(): void;
}

/** Makes live values, and tells their listeners together. */
export interface LiveHub {
  live<T>(options: LiveOptions<T>): Live<T>;
  /** Something may have changed. */
  changed(): void;
}

/** @param later runs a task in the next turn of the event loop */
export function createLiveHub(later: (task: () => void) => void = nextTurn): LiveHub {
  const watched = new Set<Watched>();
  let isPlanned = false;

  function changed(): void {
    if (isPlanned || watched.size === 0) return;
    isPlanned = true;
    later(() => {
      isPlanned = false;
      for (const each of [...watched]) each.tell();
    });
  }

  function live<T>({ inputs, make, isSame, onWatched, onLook }: LiveOptions<T>): Live<T> {
    const listeners = new Set<() => void>();
    let madeOf: readonly unknown[] | undefined;
    let value: T;
    let told: T;

    function current(): T {
      const now = inputs();
      if (!madeOf || !areSame(now, madeOf)) {
        const next = make();
        if (!madeOf || !isSame?.(value, next)) value = next;
        madeOf = now;
      }
      return value;
    }
    const self: Watched = {
      tell() {
        if (Object.is(current(), told)) return;
        told = value;
        for (const listener of [...listeners]) callSafely(listener);
      },
    };

    return {
      get() {
        onLook?.();
        return current();
      },
      subscribe(listener) {
        // Of its own, so that the same function may be given twice.
        const own = () => listener();
        if (listeners.size === 0) {
          told = current();
          watched.add(self);
          onWatched?.(true);
        }
        listeners.add(own);
        onLook?.();
        return () => {
          if (!listeners.delete(own) || listeners.size > 0) return;
          watched.delete(self);
          onWatched?.(false);
        };
      },
    };
  }

  return { live, changed };
}

/** Whether two lists hold the same things in the same order. */
export function areSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((each, i) => Object.is(each, other[i]));
}

/** A listener's error is the app's own: it is reported as uncaught, and the others are called all the same. */
export function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Not a timer where there is something better: browsers slow those of hidden pages down. */
function nextTurn(task: () => void): void {
  if (typeof setImmediate === 'function') return void setImmediate(task);
  if (typeof MessageChannel === 'undefined') return void setTimeout(task);
  const { port1, port2 } = new MessageChannel();
  Object.assign(port1, {
    onmessage() {
      port1.close();
      task();
    },
  });
  port2.postMessage(undefined);
}
