import type { Socket } from 'socket.io-client';

/** @returns whether the socket is told an event within a time, in milliseconds, and a way to stop waiting (false) */
export function nextEvent(socket: Socket, event: string, ms: number): { told: Promise<boolean>; cancel(): void } {
  let settle: (isTold: boolean) => void;
  const told = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const isTold = () => end(true);
  const timer = setTimeout(() => end(false), ms);
  function end(outcome: boolean): void {
    clearTimeout(timer);
    socket.off(event, isTold);
    settle(outcome);
  }
  socket.on(event, isTold);
  return { told, cancel: () => end(false) };
}
