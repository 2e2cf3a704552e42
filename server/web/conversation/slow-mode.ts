/** Waiting in slow mode. */
import { useEffect, useState } from 'preact/hooks';

/** @returns the seconds until then, counted down; 0 once it is over */
export function useSecondsUntil(at: string | undefined): number {
  const left = () => (at === undefined ? 0 : Math.max(0, Math.ceil((Date.parse(at) - Date.now()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    if (left() === 0) return undefined;
    const timer = setInterval(() => {
      setSeconds(left());
      if (left() === 0) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, [at]);
  return seconds;
}
