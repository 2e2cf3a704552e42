import type { Logger } from 'pino';
import type { WireError } from '../../shared/contract/errors.ts';
import { isDiskFull } from '../lib/disk-full.ts';
import { ContractError, unavailable } from '../lib/errors.ts';
import { isUnavailable } from '../model/failures.ts';

/** What the caller is told of an error. Anything but a refusal of the contract is logged under a correlation id. */
export function toWireError(error: unknown, what: string, log: Logger): WireError {
  if (error instanceof ContractError) return error.toWire();
  if (isUnavailable(error)) {
    log.warn({ err: error, what }, 'the store is not available');
    return unavailable().toWire();
  }
  if (isDiskFull(error)) {
    log.warn({ err: error, what }, 'the disk is full');
    return unavailable('the disk is full; nothing was accepted').toWire();
  }
  const correlation_id = crypto.randomUUID();
  log.error({ err: error, what, correlation_id }, 'unexpected error');
  return { code: 'internal', message: 'something went wrong here', details: { correlation_id } };
}
