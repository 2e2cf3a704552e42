/** Validates bodies and parameters of routes by the contract's schemas, as commands on the socket are validated. */
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { Empty } from '../../shared/contract/values.ts';
import { assertPlain } from '../lib/plain-json.ts';
import { compile, validationFailed } from '../lib/validation.ts';

/** Sets the compilers for schemas and the rule for absent bodies. */
export function applyContractValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const validate = compile(schema as TSchema);
    return (value: unknown) => {
      try {
        // The router's parameters have a prototype of their own, which assertPlain would refuse.
        assertPlain(httpPart === 'body' ? value : { ...(value as object) });
      } catch (error) {
        return { error: error as Error };
      }
      return validate(value) ? { value } : { error: validationFailed(validate) };
    };
  });
  // Answers are typed: schemas document them, and are not needed to write them.
  app.setSerializerCompiler(() => JSON.stringify);

  const isEmpty = compile(Empty);
  // No body and `null` count as `{}`, as on the socket. A route that declares no body accepts nothing else.
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.schema?.body) request.body ??= {};
    else if (!isEmpty(request.body ?? {})) throw validationFailed(isEmpty);
  });
}
