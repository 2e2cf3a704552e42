/** Starts a server with this environment, or stops the one of that number. */
export interface HostRequest {
  id: number;
  env?: Record<string, string>;
}

/** Where the server listens, if it was to be started; why it does not, if it failed. */
export interface HostAnswer {
  id: number;
  url?: string | undefined;
  error?: string;
}
