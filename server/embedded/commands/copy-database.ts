import type { Command } from './command.ts';

/**
 * Copies the database's file, with all that is acknowledged: `letsapp backup` asks for it. Not a command of MongoDB. The
 * place is not for the client to choose, who may have nothing but the password.
 */
export const copyDatabase: Command = {
  fields: [],
  run: async (engine) => {
    await engine.storage.copy();
    return {};
  },
};
