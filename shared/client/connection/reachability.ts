/** What a browser says about its connection. Elsewhere it says nothing. */

/** The parts of a browser's globals that count here. */
interface Browser {
  navigator?: { onLine?: boolean };
  document?: { visibilityState?: string } & Partial<EventTarget>;
  addEventListener?: EventTarget['addEventListener'];
  removeEventListener?: EventTarget['removeEventListener'];
}

export interface Reachability {
  /** False where it is known that nothing can be reached. */
  isOnline(): boolean;
  stop(): void;
}

/**
 * @param onBack called when there is a connection again, or the page is shown again: a good moment to try
 * @param onLost called when there is none any more
 */
export function watchReachability(onBack: () => void, onLost: () => void): Reachability {
  const browser = globalThis as unknown as Browser;
  const { document } = browser;
  const onShown = () => {
    if (document?.visibilityState === 'visible') onBack();
  };
  browser.addEventListener?.('online', onBack);
  browser.addEventListener?.('offline', onLost);
  document?.addEventListener?.('visibilitychange', onShown);
  return {
    isOnline: () => browser.navigator?.onLine !== false,
    stop() {
      browser.removeEventListener?.('online', onBack);
      browser.removeEventListener?.('offline', onLost);
      document?.removeEventListener?.('visibilitychange', onShown);
    },
  };
}
